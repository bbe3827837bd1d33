/** Appearance descriptors of faces, and shot changes, from small gray images. */

import { subsample } from "../media/pixels.js";
import { resizeArea } from "../media/resize.js";
import { alignFace } from "./alignment.js";

/** @typedef {import("../media/pixels.js").Pixels} Pixels */
/** @typedef {import("../types.js").Face} Face */

/** 400 gray values of an aligned face, mean 0, length 1. @typedef {Float32Array} Descriptor */

/** Crop of a descriptor: without margin, which would show the background. */
const CROP = { width: 20, height: 20, margin: 0 };

/** Length of a crop's gray values, 0–255 minus their mean, below which it is plain. */
const MIN_CONTRAST = 6;

/** Columns and rows that a frame is reduced to. */
const COLUMNS = 32;
const ROWS = 24;

/** Largest camera movement between two frames, in cells of the grid: an eighth of the image. */
const SHIFT_COLUMNS = 4;
const SHIFT_ROWS = 3;

/** Shorter side, in pixels, from which pixels are skipped before a frame is reduced. */
const SUBSAMPLED_PX = 128;

/** Gray level, 0–255, added before the logarithm so that noise in the dark counts little. */
const DARK_LEVELS = 16;

/** Range of log gray below which a frame is plain, and the median change from noise. */
const PLAIN_LOG = 0.1;
const NOISE_LOG = 0.03;

/** Change of a frame, relative to that between unrelated images, from which a new shot starts. */
const SHOT_CHANGE = 0.45;

/**
 * Gray values of an image, with the weights of ITU-R BT.601 and without rounding.
 *
 * @param {Pixels} image
 * @returns {Float32Array}
 */
function grayValues({ data, width, height, channels }) {
  const gray = new Float32Array(width * height);
  for (let i = 0, from = 0; i < gray.length; i++, from += channels) {
    gray[i] = data[from] * 0.299 + data[from + 1] * 0.587 + data[from + 2] * 0.114;
  }
  return gray;
}

/**
 * Describe how a face looks, independent of its place, size, tilt, brightness and contrast.
 *
 * @param {Pixels} image
 * @param {Face} face
 * @returns {Descriptor | null} null where all pixels of the face are nearly equal.
 */
export function appearance(image, face) {
  const gray = grayValues(alignFace(image, face, CROP));
  const mean = gray.reduce((sum, value) => sum + value, 0) / gray.length;
  const centered = gray.map((value) => value - mean);
  const length = Math.hypot(...centered);
  return length < MIN_CONTRAST ? null : centered.map((value) => value / length);
}

/**
 * Cosine similarity of two descriptors: 1 for equal ones, about 0 for unrelated.
 *
 * @param {Descriptor} one
 * @param {Descriptor} other
 */
export function cosineSimilarity(one, other) {
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += one[i] * other[i];
  return sum;
}

/**
 * Detects shot changes: hard cuts, where all of the image changes between two frames.
 *
 * Each frame is reduced to 32 × 24 gray values. A frame starts a new shot if more than half of them
 * change by about as much as those of unrelated images, for every small shift of the previous frame.
 * Plain frames, such as black ones, are skipped. Slow transitions are not detected.
 */
export class ShotChanges {
  constructor() {
    /** @type {Float32Array | null} */
    this._before = null;
  }

  /**
   * Whether a frame starts a new shot; call it in the order of time.
   *
   * @param {Pixels} image
   * @returns {boolean}
   */
  isNewShot(image) {
    const now = toGrid(image);
    if (range(now) < PLAIN_LOG) return false;
    const before = this._before;
    this._before = now;
    if (before === null || change(before, now) < SHOT_CHANGE) return false;
    for (let down = -SHIFT_ROWS; down <= SHIFT_ROWS; down++) {
      for (let right = -SHIFT_COLUMNS; right <= SHIFT_COLUMNS; right++) {
        if (change(shifted(before, right, down), shifted(now, -right, -down)) < SHOT_CHANGE)
          return false;
      }
    }
    return true;
  }
}

/**
 * Reduce a frame; twice the light adds the same number to every value.
 *
 * @param {Pixels} image
 * @returns {Float32Array}
 */
function toGrid(image) {
  // Every n-th pixel is enough, and fast.
  const step = Math.max(1, Math.floor(Math.min(image.width, image.height) / SUBSAMPLED_PX));
  const small = resizeArea(subsample(image, step), COLUMNS, ROWS);
  return grayValues(small).map((value) => Math.log(value + DARK_LEVELS));
}

/** @param {Float32Array} grid */
function range(grid) {
  return Math.max(...grid) - Math.min(...grid);
}

/**
 * Median change, relative to that between unrelated images.
 *
 * @param {Float32Array} before
 * @param {Float32Array} now
 */
function change(before, now) {
  const unrelated = Math.hypot(deviation(before), deviation(now), NOISE_LOG);
  return deviation(now.map((value, i) => value - before[i])) / unrelated;
}

/**
 * Median absolute deviation from the median.
 *
 * @param {Float32Array} grid
 */
function deviation(grid) {
  const middle = median(grid);
  return median(grid.map((value) => Math.abs(value - middle)));
}

/** @param {Float32Array} values */
function median(values) {
  const sorted = values.toSorted();
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/**
 * The region of a grid that remains when its first columns and rows are cut off, or its last ones.
 *
 * @param {Float32Array} grid
 * @param {number} right Columns to cut off on the left; negative: on the right.
 * @param {number} down Rows to cut off at the top; negative: at the bottom.
 */
function shifted(grid, right, down) {
  const columns = COLUMNS - Math.abs(right);
  const rows = ROWS - Math.abs(down);
  const part = new Float32Array(columns * rows);
  for (let y = 0; y < rows; y++) {
    const start = (y + Math.max(0, down)) * COLUMNS + Math.max(0, right);
    part.set(grid.subarray(start, start + columns), y * columns);
  }
  return part;
}
