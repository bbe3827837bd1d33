/**
 * MTCNN: a cascade of three small networks that detects faces and five landmarks.
 *
 * P-Net scans every 12-pixel window of an image pyramid, R-Net rejects most of its candidates, O-Net
 * classifies the rest and places five landmarks.
 *
 * Source: Zhang, Zhang, Li, Qiao 2016, "Joint Face Detection and Alignment Using Multitask Cascaded
 * Convolutional Networks", https://doi.org/10.1109/LSP.2016.2603342.
 */

import { EDGES } from "../bounding_box.js";
import { InputError } from "../errors.js";
import * as cascade from "./cascade.js";

/** @typedef {import("../bounding_box.js").Box} Box */
/** @typedef {import("../media/pixels.js").Pixels} Pixels */
/** @typedef {import("../models/session.js").OnnxSession} OnnxSession */
/** @typedef {import("../types.js").Face} Face */
/** @typedef {import("./cascade.js").Candidates} Candidates */

/**
 * What O-Net found: boxes, scores and landmarks (10 values per face), and the rows of its squares.
 *
 * @typedef {Candidates & {landmarks: Float32Array, rows: number[]}} Found
 */

/** Smallest side of a face by default, in pixels, in images up to `FULL_DETAIL_PX`. */
export const MIN_FACE_SIZE = 24;

/** Pixels of an image above which the minimum face size grows with the image. */
export const FULL_DETAIL_PX = 1_000_000;

/** Minimum face size of the first pass, relative to the image's shorter side. */
const FIRST_PASS_RATIO = 1 / 10;

/** Size, relative to the image's shorter side, from which a single face is a portrait. */
const PORTRAIT_RATIO = 1 / 8;

/** Score from which a single face is a portrait. */
const PORTRAIT_SCORE = 0.95;

/** Largest overlap of two boxes: within one pyramid level, and after each network. */
const PROPOSAL_NMS = 0.5;
const BOX_NMS = 0.7;

/** Most candidates of P-Net that R-Net classifies. */
const MAX_PROPOSALS = 2000;

/** Smallest scores that P-Net, R-Net and O-Net accept. */
const THRESHOLDS = Object.freeze([0.6, 0.7, 0.8]);

/** Ratio between two levels of the pyramid. */
const FACTOR = 0.709;

/**
 * Finds upright faces with five landmarks, in the two passes of the Python package: large faces
 * first; unless that finds a portrait, small faces too.
 */
export class MTCNN {
  /**
   * @param {{pnet: OnnxSession, rnet: OnnxSession, onet: OnnxSession}} networks
   * @param {{minFaceSize?: number | null}} [settings] Smallest side of a face in pixels, 12 or more;
   *   all of the image is then searched. null searches in two passes, down to 24 pixels in images
   *   up to one megapixel.
   * @throws {InputError} `minFaceSize` is below 12.
   */
  constructor(networks, { minFaceSize = null } = {}) {
    if (minFaceSize !== null && !(minFaceSize >= cascade.CELL_PX)) {
      throw new InputError(
        `\`minFaceSize\` must be 12 or more. Received ${minFaceSize}. ` +
          "Enlarge the image to find smaller faces.",
      );
    }
    this._networks = networks;
    this._minFaceSize = minFaceSize;
  }

  /**
   * Find faces with score and landmarks, largest first.
   *
   * @param {Pixels} image
   * @returns {Promise<Face[]>} The box of a face at the border may reach beyond the image.
   */
  async detect(image) {
    const { width, height } = image;
    const scales = cascade.pyramidScales(height, width, this._chosenFaceSize(image), FACTOR);
    const firstPass = FIRST_PASS_RATIO * Math.min(width, height);
    const coarse =
      this._minFaceSize === null
        ? scales.filter((scale) => scale * firstPass <= cascade.CELL_PX)
        : scales;
    const proposals = await this._propose(image, coarse);
    let found = await this._classify(image, proposals);
    if (coarse.length < scales.length && !isPortrait(image, found)) {
      const fine = scales.slice(0, scales.length - coarse.length);
      proposals.push(...(await this._propose(image, fine)));
      found = await this._classify(image, proposals);
    }
    const faces = found.rows.map((_, i) => toFace(found, i));
    return faces.sort((one, other) => singleArea(other.box) - singleArea(one.box));
  }

  /**
   * Find faces near the given boxes; much faster than searching the image. Only O-Net runs.
   *
   * @param {Pixels} image
   * @param {readonly Box[]} boxes Expected places, such as those of the previous frame.
   * @returns {Promise<(Face | null)[]>} For each box a face or null; each face once.
   */
  async refine(image, boxes) {
    const edges = Float32Array.from(boxes.flatMap((box) => EDGES.map((edge) => box[edge])));
    const found = await this._runONet(image, cascade.toSquares(edges));
    /** @type {(Face | null)[]} */
    const faces = boxes.map(() => null);
    found.rows.forEach((row, i) => (faces[row] = toFace(found, i)));
    return faces;
  }

  /** @param {Pixels} image */
  _chosenFaceSize({ width, height }) {
    if (this._minFaceSize !== null) return this._minFaceSize;
    return MIN_FACE_SIZE * Math.max(1, Math.sqrt((width * height) / FULL_DETAIL_PX));
  }

  /**
   * Candidate boxes of P-Net and their scores, for each level of the pyramid.
   *
   * @param {Pixels} image
   * @param {readonly number[]} scales
   * @returns {Promise<Candidates[]>}
   */
  async _propose(image, scales) {
    /** @type {Candidates[]} */
    const proposals = [];
    let level = image;
    for (const scale of scales) {
      level = cascade.resizeLevel(image, level, scale);
      const shape = [1, level.width, level.height, 3];
      const [offsets, scores] = await this._networks.pnet.run(cascade.toInput([level]), shape);
      const rows = scores.dims[2];
      const found = cascade.candidateBoxes(scores.data, offsets.data, rows, scale, THRESHOLDS[0]);
      const kept = cascade.nms(found.boxes, found.scores, PROPOSAL_NMS);
      proposals.push(takeCandidates(found, kept));
    }
    return proposals;
  }

  /**
   * Boxes, scores and landmarks of faces: one call each of R-Net and O-Net.
   *
   * @param {Pixels} image
   * @param {readonly Candidates[]} proposals
   * @returns {Promise<Found>}
   */
  async _classify(image, proposals) {
    const boxes = cascade.concatenate(proposals.map((level) => level.boxes));
    const scores = cascade.concatenate(proposals.map((level) => level.scores));
    const kept = cascade.nms(boxes, scores, BOX_NMS).slice(0, MAX_PROPOSALS);
    const squares = cascade.toSquares(cascade.takeRows(boxes, kept, 4));
    return this._runONet(image, await this._runRNet(image, squares));
  }

  /**
   * Candidate squares that R-Net accepts.
   *
   * @param {Pixels} image
   * @param {Float32Array} squares
   * @returns {Promise<Float32Array>}
   */
  async _runRNet(image, squares) {
    if (!squares.length) return squares;
    const crops = cascade.cropSquares(image, squares, 24);
    const shape = [crops.length, 24, 24, 3];
    const [offsets, scores] = await this._networks.rnet.run(cascade.toInput(crops), shape);
    const accepted = [...crops.keys()].filter((i) => scores.data[2 * i + 1] >= THRESHOLDS[1]);
    const boxes = cascade.regress(
      cascade.takeRows(squares, accepted, 4),
      cascade.takeRows(offsets.data, accepted, 4),
    );
    const kept = cascade.nms(
      boxes,
      Float32Array.from(accepted, (i) => scores.data[2 * i + 1]),
      BOX_NMS,
    );
    return cascade.toSquares(cascade.takeRows(boxes, kept, 4));
  }

  /**
   * Faces from O-Net, and the rows of the squares they come from.
   *
   * @param {Pixels} image
   * @param {Float32Array} squares
   * @returns {Promise<Found>}
   */
  async _runONet(image, squares) {
    if (!squares.length) return { boxes: squares, scores: squares, landmarks: squares, rows: [] };
    const crops = cascade.cropSquares(image, squares, 48);
    const shape = [crops.length, 48, 48, 3];
    const [offsets, points, both] = await this._networks.onet.run(cascade.toInput(crops), shape);
    const boxes = cascade.regress(squares, offsets.data);
    const scores = Float32Array.from(crops, (_, i) => both.data[2 * i + 1]);
    const rows = [...crops.keys()].filter((i) => {
      const [left, top, right, bottom] = boxes.subarray(4 * i, 4 * i + 4);
      const isVisible = right > 0 && bottom > 0 && left < image.width && top < image.height;
      return scores[i] >= THRESHOLDS[2] && isVisible && right > left && bottom > top;
    });
    const candidates = takeCandidates({ boxes, scores }, rows);
    const kept = cascade.nms(candidates.boxes, candidates.scores, BOX_NMS, "smaller");
    const keptRows = kept.map((i) => rows[i]);
    const landmarks = placeLandmarks(points.data, squares);
    return {
      ...takeCandidates(candidates, kept),
      landmarks: cascade.takeRows(landmarks, keptRows, 10),
      rows: keptRows,
    };
  }
}

/**
 * @param {Candidates} candidates
 * @param {readonly number[]} rows
 * @returns {Candidates}
 */
function takeCandidates({ boxes, scores }, rows) {
  return { boxes: cascade.takeRows(boxes, rows, 4), scores: cascade.takeRows(scores, rows, 1) };
}

/**
 * Convert O-Net's points, five x and then five y relative to the square, to pixels of the image.
 *
 * @param {Float32Array} points
 * @param {Float32Array} squares
 * @returns {Float32Array} Five pairs (x, y) per square.
 */
function placeLandmarks(points, squares) {
  const placed = new Float32Array(points.length);
  for (let i = 0; i < squares.length / 4; i++) {
    const [left, top, right, bottom] = squares.subarray(4 * i, 4 * i + 4);
    for (let point = 0; point < 5; point++) {
      placed[10 * i + 2 * point] = left + points[10 * i + point] * (right - left);
      placed[10 * i + 2 * point + 1] = top + points[10 * i + 5 + point] * (bottom - top);
    }
  }
  return placed;
}

/**
 * @param {Found} found
 * @param {number} i
 * @returns {Face}
 */
function toFace({ boxes, scores, landmarks }, i) {
  const [left, top, right, bottom] = boxes.subarray(4 * i, 4 * i + 4);
  /** @type {[number, number][]} */
  const points = [0, 2, 4, 6, 8].map((x) => [landmarks[10 * i + x], landmarks[10 * i + x + 1]]);
  return {
    box: { left, top, right, bottom },
    score: Math.min(1, scores[i]),
    landmarks: points,
    track: null,
  };
}

/**
 * Area of a box in single precision, by which faces are sorted natively.
 *
 * @param {Box} box
 */
function singleArea({ left, top, right, bottom }) {
  return Math.fround(Math.fround(right - left) * Math.fround(bottom - top));
}

/**
 * @param {Pixels} image
 * @param {Found} found
 */
function isPortrait(image, { boxes, scores }) {
  // False positives in busy images score lower: they must not end the search.
  if (scores.length !== 1 || scores[0] < PORTRAIT_SCORE) return false;
  const side = Math.max(boxes[2] - boxes[0], boxes[3] - boxes[1]);
  return side >= PORTRAIT_RATIO * Math.min(image.width, image.height);
}
