/**
 * Array operations of the MTCNN cascade: pyramid, candidate boxes, box regression, NMS, crops.
 *
 * Boxes are rows (left, top, right, bottom) of a Float32Array. No network runs here.
 *
 * The published weights were trained on transposed images: the networks take (n, W, H, 3), but their
 * outputs have x and y in the usual order. Only `toInput` and `candidateBoxes` deal with that.
 *
 * Source: Zhang, Zhang, Li, Qiao 2016, "Joint Face Detection and Alignment Using Multitask Cascaded
 * Convolutional Networks", https://doi.org/10.1109/LSP.2016.2603342.
 */

import { crop } from "../media/pixels.js";
import { resizeArea, resizeLinear } from "../media/resize.js";
import { roundHalfEven } from "../media/rounding.js";

/** @typedef {import("../media/pixels.js").Pixels} Pixels */

/**
 * Candidates: n boxes and their n scores.
 *
 * @typedef {object} Candidates
 * @property {Float32Array} boxes 4 n edges in pixels of the image.
 * @property {Float32Array} scores
 */

/** Side of P-Net's window, in pixels of a pyramid level. */
export const CELL_PX = 12;

/** Step between two windows of P-Net, in pixels of a pyramid level. */
export const STRIDE_PX = 2;

/**
 * Scales at which faces from `minFaceSize` pixels on fill P-Net's window, largest first.
 *
 * @param {number} height
 * @param {number} width
 * @param {number} minFaceSize
 * @param {number} factor Ratio between two scales.
 * @returns {number[]} None where the image is smaller.
 */
export function pyramidScales(height, width, minFaceSize, factor) {
  /** @type {number[]} */
  const scales = [];
  for (
    let scale = CELL_PX / minFaceSize;
    Math.min(height, width) * scale >= CELL_PX;
    scale *= factor
  ) {
    scales.push(scale);
  }
  return scales;
}

/**
 * Compute a pyramid level from the level before it, which is faster than from the image.
 *
 * @param {Pixels} image The original image, which sets the size of the level.
 * @param {Pixels} level The level before; it may be the image.
 * @param {number} scale
 * @returns {Pixels} RGB.
 */
export function resizeLevel(image, level, scale) {
  const rows = Math.max(CELL_PX, Math.ceil(image.height * scale));
  const columns = Math.max(CELL_PX, Math.ceil(image.width * scale));
  // Between half and full size, interpolation loses nothing; below, pixels must be averaged.
  return 2 * rows < level.height
    ? resizeArea(level, columns, rows)
    : resizeLinear(level, columns, rows);
}

/**
 * Convert RGB images of one size to the networks' input: (n, W, H, 3), scaled to about -1–1.
 *
 * @param {readonly Pixels[]} images
 * @returns {Float32Array}
 */
export function toInput(images) {
  const { width, height } = images[0];
  const tensor = new Float32Array(images.length * width * height * 3);
  let to = 0;
  for (const { data } of images) {
    for (let x = 0; x < width; x++) {
      for (let y = 0, from = x * 3; y < height; y++, from += width * 3, to += 3) {
        tensor[to] = (data[from] - 127.5) / 128;
        tensor[to + 1] = (data[from + 1] - 127.5) / 128;
        tensor[to + 2] = (data[from + 2] - 127.5) / 128;
      }
    }
  }
  return tensor;
}

/**
 * Find the windows of one pyramid level that P-Net classifies as faces.
 *
 * @param {Float32Array} scores (columns, rows, 2) probabilities of no face and of a face.
 * @param {Float32Array} offsets (columns, rows, 4) regression of each window's edges.
 * @param {number} rows
 * @param {number} scale Scale of the level.
 * @param {number} threshold Smallest score to keep.
 * @returns {Candidates} Regressed boxes in pixels of the image.
 */
export function candidateBoxes(scores, offsets, rows, scale, threshold) {
  /** @type {number[]} */
  const found = [];
  for (let i = 0; i < scores.length / 2; i++) if (scores[2 * i + 1] >= threshold) found.push(i);
  const windows = new Float32Array(found.length * 4);
  const single = Math.fround(scale);
  found.forEach((place, i) => {
    const left = Math.floor(place / rows) * STRIDE_PX;
    const top = (place % rows) * STRIDE_PX;
    windows[4 * i] = left / single;
    windows[4 * i + 1] = top / single;
    windows[4 * i + 2] = (left + CELL_PX) / single;
    windows[4 * i + 3] = (top + CELL_PX) / single;
  });
  return {
    boxes: regress(windows, takeRows(offsets, found, 4)),
    scores: Float32Array.from(found, (place) => scores[2 * place + 1]),
  };
}

/**
 * Take rows of an array of rows.
 *
 * @param {Float32Array} array
 * @param {readonly number[]} rows
 * @param {number} columns
 */
export function takeRows(array, rows, columns) {
  const taken = new Float32Array(rows.length * columns);
  rows.forEach((row, i) =>
    taken.set(array.subarray(row * columns, (row + 1) * columns), i * columns),
  );
  return taken;
}

/**
 * Join arrays of rows.
 *
 * @param {readonly Float32Array[]} arrays
 */
export function concatenate(arrays) {
  const joined = new Float32Array(arrays.reduce((length, array) => length + array.length, 0));
  let start = 0;
  for (const array of arrays) {
    joined.set(array, start);
    start += array.length;
  }
  return joined;
}

/**
 * Move the edges of boxes by offsets in widths and heights of the box.
 *
 * @param {Float32Array} boxes
 * @param {Float32Array} offsets 4 per box.
 * @returns {Float32Array}
 */
export function regress(boxes, offsets) {
  const moved = new Float32Array(boxes.length);
  for (let i = 0; i < boxes.length; i += 4) {
    const sides = [Math.fround(boxes[i + 2] - boxes[i]), Math.fround(boxes[i + 3] - boxes[i + 1])];
    for (let edge = 0; edge < 4; edge++) {
      moved[i + edge] = boxes[i + edge] + Math.fround(offsets[i + edge] * sides[edge % 2]);
    }
  }
  return moved;
}

/**
 * Widen the shorter side of each box about its center until the box is square.
 *
 * @param {Float32Array} boxes
 * @returns {Float32Array}
 */
export function toSquares(boxes) {
  const squares = new Float32Array(boxes.length);
  for (let i = 0; i < boxes.length; i += 4) {
    const [left, top, right, bottom] = boxes.subarray(i, i + 4);
    const centerX = Math.fround(left + right) / 2;
    const centerY = Math.fround(top + bottom) / 2;
    const half = Math.max(Math.fround(right - left), Math.fround(bottom - top)) / 2;
    squares.set([centerX - half, centerY - half, centerX + half, centerY + half], i);
  }
  return squares;
}

/**
 * Non-maximum suppression: of boxes that overlap too much, keep the best.
 *
 * @param {Float32Array} boxes
 * @param {Float32Array} scores
 * @param {number} threshold Largest overlap that two kept boxes may have, 0–1.
 * @param {"union" | "smaller"} [measure] What the intersection is divided by: the union of both
 *   boxes (IoU), or the smaller box, which also removes a box inside a larger one.
 * @returns {number[]} Rows to keep, best first.
 */
export function nms(boxes, scores, threshold, measure = "union") {
  const count = scores.length;
  const order = Array.from(scores.keys()).sort((one, other) => scores[other] - scores[one]);
  const areas = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const [left, top, right, bottom] = boxes.subarray(4 * i, 4 * i + 4);
    areas[i] = Math.max(right - left, 0) * Math.max(bottom - top, 0);
  }
  const suppressed = new Uint8Array(count);
  /** @type {number[]} */
  const kept = [];
  for (let place = 0; place < count; place++) {
    const best = order[place];
    if (suppressed[best]) continue;
    kept.push(best);
    for (let rest = place + 1; rest < count; rest++) {
      const other = order[rest];
      if (suppressed[other]) continue;
      const intersection = intersect(boxes, 4 * best, 4 * other);
      const reference =
        measure === "smaller"
          ? Math.min(areas[best], areas[other])
          : areas[best] + areas[other] - intersection;
      if (intersection > threshold * reference) suppressed[other] = 1;
    }
  }
  return kept;
}

/**
 * Area that two boxes have in common.
 *
 * @param {Float32Array} boxes
 * @param {number} one First edge of a box.
 * @param {number} other
 */
function intersect(boxes, one, other) {
  const width = Math.min(boxes[one + 2], boxes[other + 2]) - Math.max(boxes[one], boxes[other]);
  if (width <= 0) return 0;
  const height =
    Math.min(boxes[one + 3], boxes[other + 3]) - Math.max(boxes[one + 1], boxes[other + 1]);
  return height <= 0 ? 0 : width * height;
}

/**
 * Crop squares and resize them; what lies beyond the image is black.
 *
 * @param {Pixels} image
 * @param {Float32Array} squares
 * @param {number} side Side of each crop in pixels.
 * @returns {Pixels[]} RGB.
 */
export function cropSquares(image, squares, side) {
  /** @type {Pixels[]} */
  const crops = [];
  for (let i = 0; i < squares.length; i += 4) {
    const [left, top, right, bottom] = Array.from(squares.subarray(i, i + 4), roundHalfEven);
    const square = crop(image, {
      left,
      top,
      right: Math.max(right, left + 1),
      bottom: Math.max(bottom, top + 1),
    });
    crops.push(
      square.height > 2 * side ? resizeArea(square, side, side) : resizeLinear(square, side, side),
    );
  }
  return crops;
}
