/**
 * `Tracker`: the same person keeps one track number through a video.
 *
 * Each detected face is assigned to the track that it fits best, all faces together: by the
 * predicted place, by size, and by appearance.
 *
 * Source: Bewley, Ge, Ott, Ramos, Upcroft 2016, "Simple Online and Realtime Tracking",
 * https://doi.org/10.1109/ICIP.2016.7533003; with appearance: Wojke, Bewley, Paulus 2017, "Simple
 * Online and Realtime Tracking with a Deep Association Metric",
 * https://doi.org/10.1109/ICIP.2017.8296962.
 */

import { area, center } from "../bounding_box.js";
import { InputError } from "../errors.js";
import { ShotChanges, appearance, cosineSimilarity } from "./appearance.js";
import { linearAssignment } from "./linear_assignment.js";

/** @typedef {import("../bounding_box.js").Box} Box */
/** @typedef {import("../media/pixels.js").Pixels} Pixels */
/** @typedef {import("../types.js").Face} Face */
/** @typedef {import("./appearance.js").Descriptor} Descriptor */

/**
 * The predicted place of a track's face.
 *
 * @typedef {object} PredictedBox
 * @property {number} track Number of the track.
 * @property {Box} box Where the face should be by now.
 * @property {number | null} lostS Time of the first frame without the face, in seconds; null if the
 *   last frame had it.
 */

/** Largest distance of a face from its predicted place, in sides of a face: at once, more for each
 * second without the face, and at most. */
const REACH = 0.7;
const REACH_PER_S = 1.5;
const MAX_REACH = 2.5;

/** Largest ratio between two sizes of a face: at once, and after a second or more. */
const SIZE_RATIO = 1.6;
const LONG_SIZE_RATIO = 2.5;

/** Cosine similarity from which a face may continue a lost track further away than the first reach,
 * and from which the descriptor of a track is updated. */
const MIN_SIMILARITY = 0.2;
const UPDATE_SIMILARITY = 0.6;

/** Weights of the distance relative to the reach, of the log size ratio, and of 1 − similarity; the
 * cost of a lost track; and the cost of a new track, above all others. */
const PLACE_COST = 2.5;
const SIZE_COST = 0.5;
const APPEARANCE_COST = 4;
const LOST_COST = 0.3;
const NEW_TRACK_COST = 20;

/** Time constants in seconds: of the averages of place, speed and appearance, and of slowing down
 * while a face is not detected. */
const PLACE_S = 0.05;
const SPEED_S = 0.15;
const APPEARANCE_S = 1;
const DAMPING_S = 1;

/** Shortest time between two frames, in seconds: over a shorter one a speed would be meaningless. */
const MIN_STEP_S = 1e-6;

/**
 * Assigns track numbers to faces; a person keeps one number through a video.
 *
 * A track survives gaps of up to `keepS`: a face that is hidden, out of the image or missed by the
 * detector. Given the images, the tracker compares appearances where people cross, and ends all
 * tracks at a shot change. Numbers are never reused.
 */
export class Tracker {
  /**
   * @param {{keepS?: number, lastNumber?: number}} [settings] Longest gap in seconds; and the
   *   number before that of the first track.
   * @throws {InputError} `keepS` is negative or not a number.
   */
  constructor({ keepS = 2, lastNumber = 0 } = {}) {
    if (!(keepS >= 0 && keepS < Infinity)) {
      throw new InputError(
        `\`keepS\` must be 0 or more seconds. Received ${keepS}. Type for example: 2`,
      );
    }
    this._keepS = keepS;
    /** Number of the shot, from 1; each shot change increases it. */
    this.shot = 1;
    /** @type {Track[]} */
    this._tracks = [];
    this._lastNumber = lastNumber;
    this._timeS = -Infinity;
    this._shotChanges = new ShotChanges();
  }

  /**
   * Predict where the tracked faces are, by track number; after a shot change there are none.
   *
   * Optional; call it before `update`, with the same time and image.
   *
   * @param {number} timeS
   * @param {Pixels | null} [image]
   * @returns {PredictedBox[]}
   * @throws {InputError} `timeS` is not a finite number.
   */
  predictBoxes(timeS, image = null) {
    this._advance(timeS, image);
    return this._tracks.map((track) => ({
      track: track.number,
      box: track.predictBox(timeS),
      lostS: track.lostS,
    }));
  }

  /**
   * Assign track numbers to the faces of the next frame.
   *
   * @param {readonly Face[]} faces All faces detected in the frame.
   * @param {number} timeS Time of the frame in seconds. A time before the last one starts anew.
   * @param {Pixels | null} [image] The frame, to compare appearances and detect shot changes.
   * @returns {Face[]} The same faces in the same order, each with its `track`.
   * @throws {InputError} `timeS` is not a finite number.
   */
  update(faces, timeS, image = null) {
    this._advance(timeS, image);
    const descriptors = faces.map((face) => (image === null ? null : appearance(image, face)));
    const costs = faces.map((face, i) =>
      this._tracks.map((track) => track.cost(face, descriptors[i], timeS)),
    );
    const assigned = new Map(
      linearAssignment(costs, NEW_TRACK_COST).map(([row, column]) => [row, this._tracks[column]]),
    );
    const seen = new Set(assigned.values());
    for (const track of this._tracks)
      if (track.lostS === null && !seen.has(track)) track.lostS = timeS;
    return faces.map((face, i) => {
      let track = assigned.get(i);
      if (track) {
        track.update(face, descriptors[i], timeS);
      } else {
        this._lastNumber += 1;
        track = new Track(this._lastNumber, face.box, timeS, descriptors[i]);
        this._tracks.push(track);
      }
      return { ...face, track: track.number };
    });
  }

  /**
   * End tracks that are too old, or all at a shot change or an earlier time.
   *
   * @param {number} timeS
   * @param {Pixels | null} image
   */
  _advance(timeS, image) {
    if (!Number.isFinite(timeS)) {
      throw new InputError(
        `\`time_s\` must be a time in seconds. Received ${timeS}. Type for example: 0.04`,
      );
    }
    if (timeS === this._timeS) return;
    const isNewShot = image !== null && this._shotChanges.isNewShot(image);
    if (isNewShot || timeS < this._timeS) {
      this._tracks = [];
      this.shot += 1;
    }
    this._tracks = this._tracks.filter(
      (track) => track.lostS === null || timeS - track.lostS <= this._keepS,
    );
    this._timeS = timeS;
  }
}

/** State of one track: last place, speed in pixels per second, appearance. */
class Track {
  /**
   * @param {number} number
   * @param {Box} box
   * @param {number} seenS
   * @param {Descriptor | null} descriptor
   */
  constructor(number, box, seenS, descriptor) {
    this.number = number;
    this.box = box;
    this.seenS = seenS;
    this.descriptor = descriptor;
    /** @type {number | null} */
    this.lostS = null;
    this.speed = { x: 0, y: 0 };
  }

  /**
   * The last box, moved on by the speed, which decays while the face is not detected.
   *
   * @param {number} timeS
   * @returns {Box}
   */
  predictBox(timeS) {
    const { x, y } = this._predictShift(timeS);
    const { left, top, right, bottom } = this.box;
    return { left: left + x, top: top + y, right: right + x, bottom: bottom + y };
  }

  /**
   * Cost of assigning a face to this track; infinite where it cannot be the same.
   *
   * @param {Face} face
   * @param {Descriptor | null} descriptor
   * @param {number} timeS
   */
  cost(face, descriptor, timeS) {
    const gapS = timeS - this.seenS;
    const size = Math.sqrt(side(this.box) * side(face.box));
    const [x, y] = center(face.box);
    const [lastX, lastY] = center(this.box);
    // While it was not detected, the face may have stopped anywhere on the predicted way.
    const distance =
      distanceToSegment({ x: x - lastX, y: y - lastY }, this._predictShift(timeS)) / size;
    const logRatio = Math.abs(Math.log(side(face.box) / side(this.box)));
    const maxRatio = SIZE_RATIO * (LONG_SIZE_RATIO / SIZE_RATIO) ** Math.min(1, gapS);
    const reach = Math.min(MAX_REACH, REACH + REACH_PER_S * gapS);
    if (distance > reach || logRatio > Math.log(maxRatio)) return Infinity;
    const cost =
      (PLACE_COST * distance) / reach +
      SIZE_COST * logRatio +
      (this.lostS === null ? 0 : LOST_COST);
    if (descriptor === null || this.descriptor === null) return cost;
    const similarity = cosineSimilarity(descriptor, this.descriptor);
    // Near its place a face is the same even if a hand covers it or it has turned.
    if (this.lostS !== null && distance > REACH && similarity < MIN_SIMILARITY) return Infinity;
    return cost + APPEARANCE_COST * (1 - similarity);
  }

  /**
   * Update place, speed and appearance from a face of this track.
   *
   * @param {Face} face
   * @param {Descriptor | null} descriptor
   * @param {number} timeS
   */
  update(face, descriptor, timeS) {
    const gapS = timeS - this.seenS;
    if (gapS >= MIN_STEP_S) {
      const predicted = this.predictBox(timeS);
      const [x, y] = center(face.box);
      const [predictedX, predictedY] = center(predicted);
      const speedGain = gain(gapS, SPEED_S) / gapS;
      this.speed.x += (x - predictedX) * speedGain;
      this.speed.y += (y - predictedY) * speedGain;
      this.box = interpolate(predicted, face.box, gain(gapS, PLACE_S));
    }
    if (this.descriptor === null) {
      this.descriptor = descriptor;
    } else if (
      descriptor !== null &&
      cosineSimilarity(descriptor, this.descriptor) > UPDATE_SIMILARITY
    ) {
      // A dissimilar crop may show somebody in front of the face: it is ignored.
      this.descriptor = moveTowards(this.descriptor, descriptor, gain(gapS, APPEARANCE_S));
    }
    this.seenS = timeS;
    this.lostS = null;
  }

  /** @param {number} timeS */
  _predictShift(timeS) {
    const way = DAMPING_S * gain(timeS - this.seenS, DAMPING_S);
    return { x: this.speed.x * way, y: this.speed.y * way };
  }
}

/**
 * @param {Descriptor} one
 * @param {Descriptor} other
 * @param {number} fraction
 * @returns {Descriptor}
 */
function moveTowards(one, other, fraction) {
  const mean = one.map((value, i) => value + (other[i] - value) * fraction);
  const length = Math.hypot(...mean);
  return mean.map((value) => value / length);
}

/** @param {Box} box */
function side(box) {
  return Math.sqrt(area(box));
}

/**
 * Weight of a new value in an exponential average, after any gap.
 *
 * @param {number} gapS
 * @param {number} constantS
 */
function gain(gapS, constantS) {
  return 1 - Math.exp(-gapS / constantS);
}

/**
 * @param {Box} one
 * @param {Box} other
 * @param {number} fraction
 * @returns {Box}
 */
function interpolate(one, other, fraction) {
  return {
    left: one.left + (other.left - one.left) * fraction,
    top: one.top + (other.top - one.top) * fraction,
    right: one.right + (other.right - one.right) * fraction,
    bottom: one.bottom + (other.bottom - one.bottom) * fraction,
  };
}

/**
 * Distance of a point from the segment between (0, 0) and `end`.
 *
 * @param {{x: number, y: number}} point
 * @param {{x: number, y: number}} end
 */
function distanceToSegment(point, end) {
  const square = end.x * end.x + end.y * end.y;
  if (square === 0) return Math.hypot(point.x, point.y);
  const along = Math.min(1, Math.max(0, (point.x * end.x + point.y * end.y) / square));
  return Math.hypot(point.x - along * end.x, point.y - along * end.y);
}
