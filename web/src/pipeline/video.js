/** Video frames: faces are detected and tracked, predicted, and smoothed over time. */

import { alignFace } from "../faces/alignment.js";
import { Tracker } from "../faces/tracker.js";
import { TrackingDetector } from "../faces/tracking_detector.js";
import { toResult } from "../types.js";
import { Smoother } from "./smoothing.js";

/** @typedef {import("../faces/tracking_detector.js").Refiner} Refiner */
/** @typedef {import("../media/pixels.js").Pixels} Pixels */
/** @typedef {import("../types.js").ImageResult} ImageResult */
/** @typedef {import("./predictor.js").Predictor} Predictor */

/** Seconds after which the state of an ended track is deleted. */
const FORGET_S = 10;

/** Predicts the frames of one video. */
export class VideoPredictor {
  /**
   * @param {Predictor} predictor
   * @param {Refiner} detector
   * @param {{source: string, smoothingS: number, keyframeS?: number, lastTrack?: number}} settings
   */
  constructor(predictor, detector, { source, smoothingS, keyframeS, lastTrack }) {
    this._predictor = predictor;
    this._detector = new TrackingDetector(detector, {
      keyframeS,
      tracker: new Tracker({ lastNumber: lastTrack }),
    });
    this._smoother = new Smoother(smoothingS);
    this._source = source;
  }

  /**
   * Predict the next frame.
   *
   * @param {Pixels} image
   * @param {number} timeS Presentation time in seconds, not before that of the last frame.
   * @param {number} number Number of the frame in the video, from 0.
   * @returns {Promise<ImageResult>}
   */
  async predict(image, timeS, number) {
    const faces = await this._detector.detect(image, timeS);
    const { card, classifier } = this._predictor;
    const predictions = await classifier.predict(
      faces.map((face) => alignFace(image, face, card.input)),
    );
    const smoothed = predictions.map((one, i) => this._smoother.smooth(one, faces[i].track, timeS));
    this._smoother.forget(timeS - FORGET_S);
    const { width, height } = image;
    return toResult(
      { source: this._source, width, height, time_s: timeS, frame: number },
      faces,
      smoothed,
    );
  }
}
