/**
 * Resize images with the arithmetic of OpenCV, so that detection finds the same faces as natively.
 *
 * Results are RGB. Bilinear interpolation is in fixed point, with weights of 11 bits.
 *
 * Source: OpenCV 5, modules/imgproc/src/resize.cpp.
 */

import { averageAreas, averageBlocks } from "./area.js";
import { pixels } from "./pixels.js";
import { roundHalfEven } from "./rounding.js";

/** @typedef {import("./pixels.js").Pixels} Pixels */

const WEIGHT = 2048;

/**
 * For each target pixel of one axis: two source pixels and the weights of both.
 *
 * @typedef {object} LinearAxis
 * @property {Int32Array} first
 * @property {Int32Array} second
 * @property {Int32Array} weights 2 per target pixel, of sum 2048.
 */

/**
 * Resize with bilinear interpolation (``INTER_LINEAR``).
 *
 * @param {Pixels} image
 * @param {number} width
 * @param {number} height
 * @returns {Pixels}
 */
export function resizeLinear(image, width, height) {
  const columns = linearAxis(image.width, width, { clamps: true });
  const rows = linearAxis(image.height, height, { clamps: false });
  return interpolate(image, width, height, columns, rows);
}

/**
 * Resize by averaging (``INTER_AREA``); where an axis grows, interpolate as OpenCV does then.
 *
 * @param {Pixels} image
 * @param {number} width
 * @param {number} height
 * @returns {Pixels}
 */
export function resizeArea(image, width, height) {
  if (width > image.width || height > image.height) {
    const columns = magnifiedAxis(image.width, width);
    return interpolate(image, width, height, columns, magnifiedAxis(image.height, height));
  }
  const isWhole = image.width % width === 0 && image.height % height === 0;
  return isWhole ? averageBlocks(image, width, height) : averageAreas(image, width, height);
}

/**
 * @param {number} from Source pixels of the axis.
 * @param {number} to Target pixels.
 * @param {{clamps: boolean}} settings Whether the weights at both ends are those of one pixel. It
 *   changes the rounding, not the value: both pixels are the same one there.
 * @returns {LinearAxis}
 */
function linearAxis(from, to, { clamps }) {
  const axis = emptyAxis(to);
  const scale = from / to;
  for (let i = 0; i < to; i++) {
    const place = Math.fround((i + 0.5) * scale - 0.5);
    const before = Math.floor(place);
    const outside = clamps && (before < 0 || before >= from - 1);
    setWeights(axis, i, before, from, outside ? 0 : place - before);
  }
  return axis;
}

/**
 * @param {number} from
 * @param {number} to
 * @returns {LinearAxis}
 */
function magnifiedAxis(from, to) {
  const axis = emptyAxis(to);
  for (let i = 0; i < to; i++) {
    const before = Math.floor(i * (1 / (to / from))); // in the order of OpenCV
    const part = Math.fround(i + 1 - ((before + 1) * to) / from);
    setWeights(
      axis,
      i,
      before,
      from,
      part <= 0 || before >= from - 1 ? 0 : part - Math.floor(part),
    );
  }
  return axis;
}

/**
 * @param {number} size
 * @returns {LinearAxis}
 */
function emptyAxis(size) {
  const first = new Int32Array(size);
  return { first, second: new Int32Array(size), weights: new Int32Array(2 * size) };
}

/**
 * @param {LinearAxis} axis
 * @param {number} i Target pixel.
 * @param {number} before Source pixel before it, maybe beyond the ends.
 * @param {number} from Source pixels of the axis.
 * @param {number} part Weight of the source pixel after it, 0–1.
 */
function setWeights(axis, i, before, from, part) {
  const fraction = Math.fround(part);
  axis.first[i] = Math.min(Math.max(before, 0), from - 1);
  axis.second[i] = Math.min(Math.max(before + 1, 0), from - 1);
  axis.weights[2 * i] = roundHalfEven(Math.fround(1 - fraction) * WEIGHT);
  axis.weights[2 * i + 1] = roundHalfEven(fraction * WEIGHT);
}

/**
 * @param {Pixels} image
 * @param {number} width
 * @param {number} height
 * @param {LinearAxis} columns
 * @param {LinearAxis} rows
 * @returns {Pixels}
 */
function interpolate(image, width, height, columns, rows) {
  const data = new Uint8Array(width * height * 3);
  let upper = new Int32Array(width * 3);
  let lower = new Int32Array(width * 3);
  let upperRow = -1;
  let lowerRow = -1;
  for (let y = 0, to = 0; y < height; y++) {
    const first = rows.first[y];
    const second = rows.second[y];
    if (first === lowerRow) {
      [upper, lower] = [lower, upper];
      [upperRow, lowerRow] = [lowerRow, upperRow];
    }
    if (first !== upperRow) interpolateRow(image, first, columns, upper);
    if (second !== lowerRow) interpolateRow(image, second, columns, lower);
    upperRow = first;
    lowerRow = second;
    const above = rows.weights[2 * y];
    const below = rows.weights[2 * y + 1];
    for (let i = 0; i < upper.length; i++, to++) {
      data[to] = ((((above * upper[i]) >> 16) + ((below * lower[i]) >> 16) + 2) >> 2) & 255;
    }
  }
  return pixels(data, width, height);
}

/**
 * Interpolate one row of the source; values have 7 bits below the point.
 *
 * @param {Pixels} image
 * @param {number} y
 * @param {LinearAxis} columns
 * @param {Int32Array} row
 */
function interpolateRow(image, y, { first, second, weights }, row) {
  const { data, channels } = image;
  const start = image.start + y * image.stride;
  for (let x = 0, to = 0; x < first.length; x++, to += 3) {
    const left = start + first[x] * channels;
    const right = start + second[x] * channels;
    const before = weights[2 * x];
    const after = weights[2 * x + 1];
    row[to] = (data[left] * before + data[right] * after) >> 4;
    row[to + 1] = (data[left + 1] * before + data[right + 1] * after) >> 4;
    row[to + 2] = (data[left + 2] * before + data[right + 2] * after) >> 4;
  }
}
