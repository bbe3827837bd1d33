/** `TimeBins`: mean probabilities over time, in bounded memory for each face; `FrameDurations`. */

/** @typedef {import("../src/index.js").ImageResult} ImageResult */

/** Seconds that a frame may last at any frame rate. */
const MAX_DURATION_S = 1;

/** Typical frame durations that a frame may last. */
const MAX_DURATION_STEPS = 3;

/** Time constant of the moving average of frame durations, in frames. */
const AVERAGED_STEPS = 8;

/** Bins of a whole video: about the pixel columns of a plot. */
const MAX_BINS = 1000;

/** Width of a bin at the start in seconds: one frame of a fast camera. */
const FIRST_BIN_S = 0.02;

/**
 * Computes how long each frame of a video lasts.
 *
 * A frame lasts until the next frame. Across a gap (a tab in the background, a cut recording) it
 * lasts three typical frame durations, or one second if that is longer. Whether there is a gap after
 * the first frame shows when the third one is there.
 */
export class FrameDurations {
  /** Time of the first frame; null before it. @type {number | null} */
  startS = null;
  /** Time of the newest frame; null before the first. @type {number | null} */
  timeS = null;
  /** Moving average of frame durations in seconds; 0 before the second frame. */
  typicalS = 0;
  #frames = 0;

  /** The longest time that a frame may last now, in seconds. */
  get maxS() {
    return longest(this.typicalS);
  }

  /**
   * Add the time of the next frame, not before the last one; return the durations in seconds of the
   * frames before it that are known now: none for the first two, then two, then one each. Until then,
   * each lasts `typicalS`.
   *
   * @param {number} timeS
   * @returns {number[]}
   */
  add(timeS) {
    this.#frames += 1;
    if (this.startS === null || this.timeS === null) {
      this.startS = this.timeS = timeS;
      return [];
    }
    let step = timeS - this.timeS;
    this.timeS = timeS;
    if (this.#frames === 2) {
      this.typicalS = step;
      return [];
    }
    const known = [];
    if (this.#frames === 3) {
      known.push(Math.min(this.typicalS, longest(step)));
      if (known[0] < this.typicalS) this.typicalS = step; // a gap after the first frame
    }
    if (this.typicalS) step = Math.min(step, this.maxS);
    this.typicalS += (step - this.typicalS) / (this.typicalS ? AVERAGED_STEPS : 1);
    return [...known, step];
  }
}

/** The longest time that a frame may last beside others that last a typical one. @param {number} typicalS */
function longest(typicalS) {
  return Math.max(MAX_DURATION_S, MAX_DURATION_STEPS * typicalS);
}

/**
 * Mean probabilities of one track over a time without gaps.
 *
 * @typedef {object} ProbabilityCurve
 * @property {Float64Array} timesS n times in seconds of the video, increasing; the last one is the end.
 * @property {Float64Array} probabilities n × labels, from each time on; the last two rows are equal.
 */

/** Averages the probabilities of each track in time bins, which double their width when there are
 * more than 1000. All are kept in typed arrays: a long video leaves no small objects behind. */
export class TimeBins {
  #durations = new FrameDurations();
  #widthS = FIRST_BIN_S;
  /** Time of the first frame of each bin; NaN where there is none. */
  #starts = new Float64Array(MAX_BINS).fill(NaN);
  /** @type {Map<number, BinSums>} */
  #sums = new Map();
  /** @type {Map<number, number>} */
  #seenS = new Map();
  /** Tracks of the frames whose end is not known. @type {number[][]} */
  #open = [];

  /**
   * Add the faces of the next frame.
   *
   * @param {ImageResult} result With a time, not before that of the last one; faces without a track
   *   are left out. All faces have the same labels.
   */
  add(result) {
    const timeS = result.time_s ?? 0;
    for (const duration of this.#durations.add(timeS)) {
      for (const track of this.#open.shift() ?? []) this.#addSeen(track, duration);
    }
    const elapsedS = timeS - (this.#durations.startS ?? 0);
    while (elapsedS / this.#widthS >= MAX_BINS) this.#doubleWidth();
    const bin = Math.floor(elapsedS / this.#widthS);
    if (Number.isNaN(this.#starts[bin])) this.#starts[bin] = timeS;
    /** @type {number[]} */
    const tracks = [];
    this.#open.push(tracks);
    for (const { track, probabilities } of result.faces) {
      if (track === undefined) continue;
      tracks.push(track);
      this.#addSeen(track, 0);
      const row = Object.values(probabilities);
      const sums = this.#sums.get(track) ?? new BinSums(row.length, bin);
      this.#sums.set(track, sums);
      sums.add(bin, row);
    }
  }

  /** Seconds for which each track was visible; the newest frame has the typical duration. */
  get seenS() {
    const seen = new Map(this.#seenS);
    for (const track of this.#open.flat()) {
      seen.set(track, (seen.get(track) ?? 0) + this.#durations.typicalS);
    }
    return seen;
  }

  /** Start of the first and end of the newest frame, in seconds of the video. */
  get spanS() {
    const { startS, timeS, typicalS } = this.#durations;
    return startS === null || timeS === null ? [0, 0] : [startS, timeS + typicalS];
  }

  /**
   * Return the curves of a track, one for each time it was visible without a gap.
   *
   * @param {number} track
   * @returns {ProbabilityCurve[]}
   */
  curves(track) {
    const sums = this.#sums.get(track);
    if (!sums) return [];
    const maxGapS = Math.max(this.#durations.maxS, 2 * this.#widthS);
    const building = new CurveBuilder(sums);
    let bin = this.#nextBin(-1);
    while (bin < MAX_BINS) {
      const next = this.#nextBin(bin);
      const end = next < MAX_BINS ? this.#starts[next] : this.spanS[1];
      const start = this.#starts[bin];
      const isSeen = sums.count(bin) > 0;
      if (isSeen) building.add(start, bin);
      if (!isSeen) building.end(start);
      else if (end - start > maxGapS || next >= MAX_BINS) {
        building.end(Math.min(end, start + maxGapS));
      }
      bin = next;
    }
    return building.curves;
  }

  /** The next bin with a frame; MAX_BINS or more where there is none. @param {number} bin */
  #nextBin(bin) {
    do bin += 1;
    while (bin < MAX_BINS && Number.isNaN(this.#starts[bin]));
    return bin;
  }

  /** @param {number} track @param {number} seconds */
  #addSeen(track, seconds) {
    this.#seenS.set(track, (this.#seenS.get(track) ?? 0) + seconds);
  }

  #doubleWidth() {
    this.#widthS *= 2;
    const starts = this.#starts;
    for (let bin = 0; bin < MAX_BINS / 2; bin++) {
      const first = starts[2 * bin];
      starts[bin] = Number.isNaN(first) ? starts[2 * bin + 1] : first;
    }
    starts.fill(NaN, MAX_BINS / 2);
    for (const sums of this.#sums.values()) sums.mergePairs();
  }
}

/** Sums of the probabilities of one track, and numbers of frames, from its first bin to its last. */
class BinSums {
  /** Rows of `columns` sums and a count. */
  #rows;
  #first;
  /** Number of bins in use. */
  #used = 0;

  /** @param {number} columns Number of labels. @param {number} bin The first one. */
  constructor(columns, bin) {
    this.columns = columns;
    this.#first = bin;
    this.#rows = new Float64Array(16 * (columns + 1));
  }

  /** @param {number} bin Not before the last one. @param {readonly number[]} row */
  add(bin, row) {
    const size = this.columns + 1;
    this.#used = Math.max(this.#used, bin - this.#first + 1);
    if (this.#used * size > this.#rows.length) this.#grow();
    const start = (bin - this.#first) * size;
    for (let i = 0; i < this.columns; i++) this.#rows[start + i] += row[i];
    this.#rows[start + this.columns] += 1;
  }

  /** Number of frames in a bin. @param {number} bin */
  count(bin) {
    const place = bin - this.#first;
    if (place < 0 || place >= this.#used) return 0;
    return this.#rows[place * (this.columns + 1) + this.columns];
  }

  /** Write the means of a bin that has frames. @param {number} bin @param {Float64Array} to @param {number} start */
  writeMeans(bin, to, start) {
    const from = (bin - this.#first) * (this.columns + 1);
    const count = this.#rows[from + this.columns];
    for (let i = 0; i < this.columns; i++) to[start + i] = this.#rows[from + i] / count;
  }

  /** Bins 0 and 1 become bin 0, 2 and 3 bin 1, and so on. */
  mergePairs() {
    const size = this.columns + 1;
    const first = Math.floor(this.#first / 2);
    const used = this.#used ? Math.floor((this.#first + this.#used - 1) / 2) - first + 1 : 0;
    for (let place = 0; place < used; place++) {
      const pair = 2 * (first + place) - this.#first;
      for (let i = 0; i < size; i++) {
        const one = pair >= 0 ? this.#rows[pair * size + i] : 0;
        const other = pair + 1 < this.#used ? this.#rows[(pair + 1) * size + i] : 0;
        this.#rows[place * size + i] = one + other;
      }
    }
    this.#rows.fill(0, used * size);
    [this.#first, this.#used] = [first, used];
  }

  #grow() {
    const size = this.columns + 1;
    const rows = new Float64Array(size * Math.max(2 * (this.#rows.length / size), this.#used));
    rows.set(this.#rows);
    this.#rows = rows;
  }
}

/** Collects the bins of a track into curves. */
class CurveBuilder {
  /** @type {ProbabilityCurve[]} */
  curves = [];
  #count = 0;
  #sums;
  #timesS = new Float64Array(MAX_BINS + 1);
  #probabilities;

  /** @param {BinSums} sums */
  constructor(sums) {
    this.#sums = sums;
    this.#probabilities = new Float64Array((MAX_BINS + 1) * sums.columns);
  }

  /** Continue the curve. @param {number} startS @param {number} bin */
  add(startS, bin) {
    this.#timesS[this.#count] = startS;
    this.#sums.writeMeans(bin, this.#probabilities, this.#count * this.#sums.columns);
    this.#count += 1;
  }

  /** End the curve, if one was begun. @param {number} endS */
  end(endS) {
    if (!this.#count) return;
    const { columns } = this.#sums;
    const last = this.#count * columns;
    this.#timesS[this.#count] = endS;
    this.#probabilities.copyWithin(last, last - columns, last);
    this.curves.push({
      timesS: this.#timesS.slice(0, this.#count + 1),
      probabilities: this.#probabilities.slice(0, last + columns),
    });
    this.#count = 0;
  }
}
