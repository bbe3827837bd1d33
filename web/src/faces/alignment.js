/**
 * Face alignment: upright crops in the framing of the training faces.
 *
 * A similarity transform (rotation, scale, shift) moves the five landmarks as near as possible to
 * those of the typical training face. Coordinates start at the left and top edge of the image; the
 * center of the first pixel is (0.5, 0.5).
 *
 * Source: Umeyama 1991, "Least-squares estimation of transformation parameters between two point
 * patterns", https://doi.org/10.1109/34.88573; in the plane the solution is one complex division.
 */

import { center } from "../bounding_box.js";
import { cropReplicated } from "../media/pixels.js";
import { resizeArea } from "../media/resize.js";
import { invert, warpAffine } from "../media/warp.js";

/** @typedef {import("../bounding_box.js").Box} Box */
/** @typedef {import("../media/pixels.js").Pixels} Pixels */
/** @typedef {import("../media/warp.js").Matrix} Matrix */
/** @typedef {import("../models/card.js").InputSpec} InputSpec */
/** @typedef {import("../types.js").Face} Face */

/** The parts of an input that set a crop. @typedef {Pick<InputSpec, "width" | "height" | "margin">} CropSpec */

/**
 * Left eye, right eye, nose tip, left and right mouth corner of the typical training face, relative
 * to the crop's side.
 *
 * @type {readonly [number, number][]}
 */
export const FRAMING = [
  [0.313, 0.385],
  [0.687, 0.385],
  [0.5, 0.601],
  [0.344, 0.782],
  [0.656, 0.782],
];

/** Left, top, right, bottom of the box of the typical training face, relative to the crop's side. */
const BOX_FRAMING = { left: 0.099, top: -0.031, right: 0.901, bottom: 1.032 };

/** Scale below which a crop by landmarks shows nothing: they are mirrored or scattered. */
const MIN_SCALE = 1e-6;

/**
 * Crop a face upright, in the framing that a model was trained on.
 *
 * A face with landmarks is rotated, scaled and shifted by them. Without landmarks the box sets the
 * crop, which is not rotated. Pixels beyond the border repeat the nearest pixel of the image.
 *
 * @param {Pixels} image
 * @param {Face} face A face in that image.
 * @param {CropSpec} spec Size of the crop; its margin widens the framing.
 * @returns {Pixels} RGB.
 */
export function alignFace(image, face, spec) {
  return warp(image, faceTransform(face, spec), spec);
}

/**
 * @param {Face} face
 * @param {CropSpec} spec
 * @returns {Matrix} From pixels of the image to pixels of the crop.
 */
function faceTransform({ box, landmarks }, spec) {
  if (landmarks && spread(landmarks) >= 1) {
    const transform = landmarkTransform(landmarks, spec);
    if (Math.hypot(transform[0], transform[3]) >= MIN_SCALE) return transform;
  }
  return boxTransform(box, spec);
}

/** @param {readonly [number, number][]} points */
function spread(points) {
  const ranges = [0, 1].map((axis) => points.map((point) => point[axis]));
  return Math.max(...ranges.map((values) => Math.max(...values) - Math.min(...values)));
}

/**
 * The similarity transform that best moves five landmarks to the framing of a model.
 *
 * @param {readonly [number, number][]} landmarks
 * @param {CropSpec} spec
 * @returns {Matrix}
 */
export function landmarkTransform(landmarks, spec) {
  const targets = FRAMING.map((point) => inCrop(point, spec));
  const [sourceX, sourceY] = mean(landmarks);
  const [targetX, targetY] = mean(targets);
  let real = 0;
  let imaginary = 0;
  let size = 0;
  landmarks.forEach(([x, y], i) => {
    const [dx, dy] = [x - sourceX, y - sourceY];
    const [tx, ty] = [targets[i][0] - targetX, targets[i][1] - targetY];
    real += dx * tx + dy * ty;
    imaginary += dx * ty - dy * tx;
    size += dx * dx + dy * dy;
  });
  const [a, b] = [real / size, imaginary / size];
  return [
    a,
    -b,
    targetX - (a * sourceX - b * sourceY),
    b,
    a,
    targetY - (b * sourceX + a * sourceY),
  ];
}

/**
 * The transform that scales and shifts a box to its place in a training face.
 *
 * @param {Box} box
 * @param {CropSpec} spec
 * @returns {Matrix}
 */
function boxTransform(box, spec) {
  const [left, top] = inCrop([BOX_FRAMING.left, BOX_FRAMING.top], spec);
  const [right, bottom] = inCrop([BOX_FRAMING.right, BOX_FRAMING.bottom], spec);
  // Boxes of other detectors have other aspect ratios: only area and center are used.
  const area = (box.right - box.left) * (box.bottom - box.top);
  const scale = Math.sqrt(((right - left) * (bottom - top)) / area);
  const [x, y] = center(box);
  return [scale, 0, (left + right) / 2 - scale * x, 0, scale, (top + bottom) / 2 - scale * y];
}

/**
 * Convert a point relative to the training framing to pixels of the crop with its margin.
 *
 * @param {readonly [number, number]} point
 * @param {CropSpec} spec
 * @returns {[number, number]}
 */
function inCrop([x, y], { width, height, margin }) {
  const side = Math.min(height, width);
  const scale = side / (1 + 2 * margin);
  return [(x + margin) * scale + (width - side) / 2, (y + margin) * scale + (height - side) / 2];
}

/** @param {readonly (readonly [number, number])[]} points */
function mean(points) {
  return [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
}

/**
 * Apply a transform with one interpolation, after averaging where it downsizes by 2 or more.
 *
 * @param {Pixels} image
 * @param {Matrix} transform From pixels of the image to pixels of the crop.
 * @param {CropSpec} spec
 * @returns {Pixels} RGB.
 */
export function warp(image, transform, spec) {
  let [a, b, c, d, e, f] = transform;
  const { left, top, right, bottom } = visibleRegion(image, transform, spec);
  c += a * left + b * top;
  f += d * left + e * top;
  const [width, height] = [right - left, bottom - top];
  const largest = Math.max(width, height);
  const step = Math.max(1, Math.min(Math.floor(1 / Math.hypot(a, d) + 1e-6), largest));
  const [columns, rows] = [Math.ceil(width / step), Math.ceil(height / step)];
  const covered = { left, top, right: left + columns * step, bottom: top + rows * step };
  let region = cropReplicated(image, covered);
  if (step > 1) {
    // Average over step × step pixels: bilinear interpolation alone would skip pixels.
    region = resizeArea(region, columns, rows);
    [a, b, d, e] = [a * step, b * step, d * step, e * step];
  }
  // `warpAffine` has its zero at the center of the first pixel.
  c += (a + b) * 0.5 - 0.5;
  f += (d + e) * 0.5 - 0.5;
  return warpAffine(region, [a, b, c, d, e, f], spec.width, spec.height);
}

/**
 * The region of the image that the crop shows, padded; at least one pixel.
 *
 * @param {Pixels} image
 * @param {Matrix} transform
 * @param {CropSpec} spec
 * @returns {Box}
 */
function visibleRegion(image, transform, { width, height }) {
  const [a, b, c, d, e, f] = invert(transform);
  const padding = 2 + 2 / Math.hypot(transform[0], transform[3]);
  const corners = [0, height].flatMap((y) =>
    [0, width].map((x) => [a * x + b * y + c, d * x + e * y + f]),
  );
  const [left, right] = edges(
    corners.map((corner) => corner[0]),
    padding,
    image.width,
  );
  const [top, bottom] = edges(
    corners.map((corner) => corner[1]),
    padding,
    image.height,
  );
  return { left, top, right, bottom };
}

/**
 * @param {readonly number[]} places
 * @param {number} padding
 * @param {number} size
 * @returns {[number, number]} First pixel, and the one after the last.
 */
function edges(places, padding, size) {
  const low = Math.min(Math.max(Math.floor(Math.min(...places) - padding), 0), size - 1);
  const high = Math.min(Math.max(Math.ceil(Math.max(...places) + padding), low + 1), size);
  return [low, high];
}
