/** `TimeBins`: mean probabilities over time, in bounded memory; `FrameDurations`. */

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
 * lasts three typical frame durations, or one second if that is longer.
 */
export class FrameDurations {
  /** Time of the first frame; null before it. @type {number | null} */
  startS = null;
  /** Time of the newest frame; null before the first. @type {number | null} */
  timeS = null;
  /** Moving average of frame durations in seconds; 0 before the second frame. */
  typicalS = 0;

  /** The longest time that a frame may last now, in seconds. */
  get maxS() {
    return Math.max(MAX_DURATION_S, MAX_DURATION_STEPS * this.typicalS);
  }

  /**
   * Add the time of the next frame, not before the last one; return the duration in seconds of the
   * one before it, 0 without one.
   *
   * @param {number} timeS
   */
  add(timeS) {
    if (this.startS === null || this.timeS === null) {
      this.startS = this.timeS = timeS;
      return 0;
    }
    let step = timeS - this.timeS;
    if (this.typicalS) step = Math.min(step, this.maxS);
    this.typicalS += (step - this.typicalS) / (this.typicalS ? AVERAGED_STEPS : 1);
    this.timeS = timeS;
    return step;
  }
}

/**
 * Mean probabilities of one track over a time without gaps.
 *
 * @typedef {object} ProbabilityCurve
 * @property {number[]} timesS n times in seconds of the video, increasing; the last one is the end.
 * @property {number[][]} probabilities n × labels, from each time on; the last two rows are equal.
 */

/** Averages the probabilities of each track in time bins, which double their width when there are
 * more than 1000. */
export class TimeBins {
  #durations = new FrameDurations();
  #widthS = FIRST_BIN_S;
  /** Time of the first frame of each bin. @type {Map<number, number>} */
  #binStarts = new Map();
  /** Sums of probabilities, then the number of frames, by track and bin.
   * @type {Map<number, Map<number, number[]>>} */
  #sums = new Map();
  /** Means that were asked for before: of all bins, only the last one changes.
   * @type {WeakMap<number[], number[]>} */
  #means = new WeakMap();
  /** @type {Map<number, number>} */
  #seenS = new Map();
  /** @type {number[]} */
  #lastTracks = [];

  /**
   * Add the faces of the next frame.
   *
   * @param {ImageResult} result With a time, not before that of the last one; faces without a track
   *   are left out.
   */
  add(result) {
    const timeS = result.time_s ?? 0;
    const duration = this.#durations.add(timeS);
    for (const track of this.#lastTracks) this.#addSeen(track, duration);
    const elapsedS = timeS - (this.#durations.startS ?? 0);
    while (elapsedS / this.#widthS >= MAX_BINS) this.#doubleWidth();
    const bin = Math.floor(elapsedS / this.#widthS);
    if (!this.#binStarts.has(bin)) this.#binStarts.set(bin, timeS);
    this.#lastTracks = [];
    for (const { track, probabilities } of result.faces) {
      if (track === undefined) continue;
      this.#lastTracks.push(track);
      this.#addSeen(track, 0);
      const sums = this.#sums.get(track) ?? new Map();
      this.#sums.set(track, sums);
      addTo(sums, bin, [...Object.values(probabilities), 1]);
    }
  }

  /** Seconds for which each track was visible; the newest frame has the typical duration. */
  get seenS() {
    const seen = new Map(this.#seenS);
    for (const track of this.#lastTracks) {
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
    /** @type {ProbabilityCurve[]} */
    const curves = [];
    /** @type {ProbabilityCurve} */
    let curve = { timesS: [], probabilities: [] };
    const bins = [...this.#binStarts.keys()].sort((one, other) => one - other);
    const starts = bins.map((bin) => this.#binStarts.get(bin) ?? 0);
    const maxGapS = Math.max(this.#durations.maxS, 2 * this.#widthS);
    bins.forEach((bin, index) => {
      const [start, end] = [starts[index], starts[index + 1] ?? this.spanS[1]];
      const sums = this.#sums.get(track)?.get(bin);
      if (sums) {
        curve.timesS.push(start);
        curve.probabilities.push(this.#meanOf(sums));
      }
      const isEnd = !sums || end - start > maxGapS || index === bins.length - 1;
      if (!isEnd || !curve.timesS.length) return;
      curve.timesS.push(sums ? Math.min(end, start + maxGapS) : start);
      curve.probabilities.push(curve.probabilities[curve.probabilities.length - 1]);
      curves.push(curve);
      curve = { timesS: [], probabilities: [] };
    });
    return curves;
  }

  /** Mean probabilities from sums and their number. @param {number[]} sums */
  #meanOf(sums) {
    let mean = this.#means.get(sums);
    if (!mean) {
      const count = sums[sums.length - 1];
      mean = sums.slice(0, -1).map((sum) => sum / count);
      this.#means.set(sums, mean);
    }
    return mean;
  }

  /** @param {number} track @param {number} seconds */
  #addSeen(track, seconds) {
    this.#seenS.set(track, (this.#seenS.get(track) ?? 0) + seconds);
  }

  #doubleWidth() {
    this.#widthS *= 2;
    const starts = this.#binStarts;
    this.#binStarts = new Map();
    for (const [bin, start] of starts) {
      const merged = Math.floor(bin / 2);
      if (!this.#binStarts.has(merged)) this.#binStarts.set(merged, start);
    }
    for (const [track, sums] of this.#sums) {
      const merged = new Map();
      for (const [bin, values] of sums) addTo(merged, Math.floor(bin / 2), values);
      this.#sums.set(track, merged);
    }
  }
}

/** Add values to a bin; its array is replaced, never changed. @param {Map<number, number[]>} sums @param {number} bin @param {number[]} values */
function addTo(sums, bin, values) {
  const before = sums.get(bin);
  sums.set(bin, before ? values.map((value, index) => value + before[index]) : values);
}
