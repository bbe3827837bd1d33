/** `TrackingDetector`: faces of a video, detected at intervals and refined in between. */

import { area, iou } from "../bounding_box.js";
import { InputError } from "../errors.js";
import { Tracker } from "./tracker.js";

/** @typedef {import("../bounding_box.js").Box} Box */
/** @typedef {import("../media/pixels.js").Pixels} Pixels */
/** @typedef {import("../types.js").Face} Face */
/** @typedef {import("./tracker.js").PredictedBox} PredictedBox */

/**
 * A detector that can also find faces near given boxes, without searching the image.
 *
 * @typedef {object} Refiner
 * @property {(image: Pixels) => Promise<Face[]>} detect
 * @property {(image: Pixels, boxes: readonly Box[]) => Promise<(Face | null)[]>} refine
 */

/** Intersection over union from which two boxes are one face, and below which they are two. */
const SAME_FACE_IOU = 0.5;
const DIFFERENT_FACE_IOU = 0.3;

/** Longest time, in seconds, that a face is refined although detection misses it. */
const UNCONFIRMED_S = 1;

/**
 * Detects the faces of one video, frame by frame, and assigns track numbers.
 *
 * Searching the full image is slow, refining a known face is fast. The image is searched every
 * `keyframeS`, after a shot change, and when a face is lost; in between each face is refined at the
 * place that the tracker predicts. A face that appears between two searches is detected by the next
 * one. A face that the searches miss for a second is dropped: it may be a false positive.
 */
export class TrackingDetector {
  /**
   * @param {Refiner} detector
   * @param {{keyframeS?: number, tracker?: Tracker}} [settings] Seconds between searches of the full
   *   image, 0 for every frame; and what assigns the track numbers.
   * @throws {InputError} `keyframeS` is negative or not a number.
   */
  constructor(detector, { keyframeS = 0.2, tracker = new Tracker() } = {}) {
    if (!(keyframeS >= 0 && keyframeS < Infinity)) {
      throw new InputError(
        `\`keyframeS\` must be 0 or more seconds. Received ${keyframeS}. Type for example: 0.2`,
      );
    }
    this._detector = detector;
    this._keyframeS = keyframeS;
    this._tracker = tracker;
    this._searchedS = -Infinity;
    this._shot = 0;
    /** Time since which the searches miss a track. @type {Map<number, number>} */
    this._missedS = new Map();
  }

  /**
   * Detect the faces of the next frame, largest first, each with its `track`.
   *
   * @param {Pixels} image
   * @param {number} timeS Time of the frame in seconds, not before that of the last frame.
   * @returns {Promise<Face[]>}
   * @throws {InputError} `timeS` is not a finite number.
   */
  async detect(image, timeS) {
    const tracked = this._tracker.predictBoxes(timeS, image);
    if (this._keyframeS === 0) {
      return largestFirst(this._tracker.update(await this._detector.detect(image), timeS, image));
    }
    const missedS = new Map(tracked.map(({ track }) => [track, this._missedS.get(track) ?? timeS]));
    const predicted = tracked.filter(
      ({ track }) => timeS - (missedS.get(track) ?? timeS) <= UNCONFIRMED_S,
    );
    const refined = await this._detector.refine(
      image,
      predicted.map(({ box }) => box),
    );
    if (!this._mustSearch(predicted, refined, timeS)) {
      const faces = refined.filter((face) => face !== null);
      return largestFirst(this._tracker.update(faces, timeS, image));
    }
    const { faces, confirmed } = merge(await this._detector.detect(image), refined);
    const numbered = this._tracker.update(faces, timeS, image);
    this._searchedS = timeS;
    this._shot = this._tracker.shot;
    for (const { track } of numbered.slice(0, confirmed))
      missedS.delete(/** @type {number} */ (track));
    this._missedS = missedS;
    return largestFirst(numbered);
  }

  /**
   * @param {readonly PredictedBox[]} predicted
   * @param {readonly (Face | null)[]} refined
   * @param {number} timeS
   */
  _mustSearch(predicted, refined, timeS) {
    const isLost = predicted.some(({ lostS }, i) => refined[i] === null && lostS === null);
    const isDue = timeS - this._searchedS >= this._keyframeS;
    return isLost || isDue || this._tracker.shot !== this._shot;
  }
}

/**
 * Merge detected and refined faces, each person once; also count those that were detected.
 *
 * The detected ones come first. A face that is both keeps its refined box, so that it does not jump.
 * A refined face that detection misses, such as a tilted one, is kept.
 *
 * @param {readonly Face[]} detected
 * @param {readonly (Face | null)[]} refined
 * @returns {{faces: Face[], confirmed: number}}
 */
function merge(detected, refined) {
  /** @type {Face[]} */
  const confirmed = [];
  /** @type {Face[]} */
  const unconfirmed = [];
  const added = [...detected];
  for (const face of refined) {
    if (face === null) continue;
    const overlaps = added.map((other) => iou(face.box, other.box));
    const largest = Math.max(...overlaps);
    if (largest >= SAME_FACE_IOU) {
      confirmed.push(face);
      added.splice(overlaps.indexOf(largest), 1);
    } else {
      unconfirmed.push(face);
    }
  }
  const faces = [...confirmed, ...added];
  const separate = unconfirmed.filter((face) =>
    faces.every((other) => iou(face.box, other.box) < DIFFERENT_FACE_IOU),
  );
  return { faces: [...faces, ...separate], confirmed: faces.length };
}

/**
 * Sort faces by the area of their boxes, largest first; equal ones keep their order.
 *
 * @param {readonly Face[]} faces
 */
function largestFirst(faces) {
  return faces.toSorted((one, other) => area(other.box) - area(one.box));
}
