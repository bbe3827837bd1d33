/**
 * The records: faces, predictions and results, and their form as JSON objects.
 *
 * Results are plain objects with the field names of the Python package's JSON.
 */

import { EDGES } from "./bounding_box.js";

/** @typedef {import("./bounding_box.js").Box} Box */

/**
 * A face that a detector found.
 *
 * @typedef {object} Face
 * @property {Box} box
 * @property {number} score Confidence of the detector that this is a face, 0–1.
 * @property {[number, number][] | null} landmarks Five points (x, y) in pixels: left eye, right eye,
 *   nose tip, left and right mouth corner, as seen in the image.
 * @property {number | null} track The same number for the same person through a video.
 */

/**
 * Predicted expression of one face.
 *
 * @typedef {object} Prediction
 * @property {readonly string[]} labels Names of the n requested emotions, in the user's order.
 * @property {Float32Array} probabilities n values, sum 1.
 * @property {number} minConfidence Confidence below which the emotion is null, 0–1.
 */

/**
 * A face of a result.
 *
 * @typedef {object} FaceResult
 * @property {number} face Number of the face in the image, from 1, largest first.
 * @property {number} [track] Number that a person keeps through a video.
 * @property {Box} box In pixels.
 * @property {number} score Confidence of the detector, 0–1.
 * @property {[number, number][] | null} landmarks
 * @property {string | null} emotion The most probable label; null ("not sure") below `minConfidence`.
 * @property {number} confidence Probability of the most probable label, 0–1.
 * @property {Record<string, number>} probabilities A probability for each label.
 */

/**
 * All faces of one image or video frame. Numbers have six significant digits, times six decimals.
 *
 * @typedef {object} ImageResult
 * @property {string} source Name of the image or video.
 * @property {number} width In pixels, after EXIF orientation.
 * @property {number} height
 * @property {number} [time_s] Presentation time of a video frame in seconds.
 * @property {number} [frame] Number of a video frame, from 0.
 * @property {FaceResult[]} faces Largest first; empty where there is no face.
 * @property {null} error null: the image could be read.
 */

/**
 * An input that could not be read, in tables with the results.
 *
 * @typedef {object} FailedInput
 * @property {string} source
 * @property {null} width
 * @property {null} height
 * @property {never[]} faces
 * @property {string} error The reason, ready to be shown to the user.
 */

/**
 * Round to six significant digits, as results do: float32 holds about seven. Halves are rounded to
 * even, as Python does.
 *
 * @param {number} value
 */
export function roundNumber(value) {
  const [digits, exponent] = Math.abs(value).toExponential(40).split("e"); // exact where it is a half
  const isHalf = /^50*$/.test(digits.slice(7));
  if (isHalf && Number(digits[6]) % 2 === 0) {
    return Math.sign(value) * Number(`${digits.slice(0, 7)}e${exponent}`);
  }
  return Number(value.toPrecision(6));
}

/**
 * Round seconds to six decimals: six significant digits would merge frames after hours.
 *
 * @param {number} seconds
 */
export function roundTime(seconds) {
  return Number(seconds.toFixed(6));
}

/**
 * Join faces and their predictions to a result.
 *
 * @param {{source: string, width: number, height: number, time_s?: number, frame?: number}} image
 * @param {readonly Face[]} faces
 * @param {readonly Prediction[]} predictions One per face.
 * @returns {ImageResult}
 */
export function toResult({ source, width, height, time_s, frame }, faces, predictions) {
  return {
    source,
    width,
    height,
    ...(time_s === undefined ? {} : { time_s: roundTime(time_s) }),
    ...(frame === undefined ? {} : { frame }),
    faces: faces.map((face, i) => faceResult(i + 1, face, predictions[i])),
    error: null,
  };
}

/**
 * @param {number} number
 * @param {Face} face
 * @param {Prediction} prediction
 * @returns {FaceResult}
 */
function faceResult(number, face, { labels, probabilities, minConfidence }) {
  const best = probabilities.indexOf(Math.max(...probabilities));
  const { box, landmarks } = face;
  return {
    face: number,
    ...(face.track === null ? {} : { track: face.track }),
    box: /** @type {Box} */ (
      Object.fromEntries(EDGES.map((edge) => [edge, roundNumber(box[edge])]))
    ),
    score: roundNumber(face.score),
    landmarks: landmarks && landmarks.map(([x, y]) => [roundNumber(x), roundNumber(y)]),
    emotion: probabilities[best] < minConfidence ? null : labels[best],
    confidence: roundNumber(probabilities[best]),
    probabilities: Object.fromEntries(
      labels.map((label, i) => [label, roundNumber(probabilities[i])]),
    ),
  };
}

/**
 * Describe an input that could not be read, as the Python package does.
 *
 * @param {string} source Name of the input.
 * @param {Error} error
 * @returns {FailedInput}
 */
export function failedInput(source, error) {
  return { source, width: null, height: null, faces: [], error: error.message || error.name };
}
