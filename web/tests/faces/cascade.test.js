import assert from "node:assert/strict";
import { test } from "node:test";

import * as cascade from "../../src/faces/cascade.js";
import { pixels } from "../../src/media/pixels.js";

/** @param {number} width @param {number} height */
function gradient(width, height) {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 7) % 256);
  return pixels(data, width, height);
}

test("the pyramid ends where the image is smaller than a window", () => {
  const scales = cascade.pyramidScales(480, 640, 24, 0.709);
  assert.equal(scales[0], 0.5);
  assert.ok(480 * scales[scales.length - 1] >= 12 && 480 * scales[scales.length - 1] * 0.709 < 12);
  assert.deepEqual(cascade.pyramidScales(11, 640, 12, 0.709), []);
});

test("the size of a level follows from the image, not from the level before", () => {
  const image = gradient(101, 67);
  const first = cascade.resizeLevel(image, image, 0.5);
  const second = cascade.resizeLevel(image, first, 0.3);
  assert.deepEqual([first.width, first.height, second.width, second.height], [51, 34, 31, 21]);
});

test("the input of the networks is transposed and scaled", () => {
  const data = Uint8Array.from([0, 0, 0, 255, 255, 255, 64, 64, 64, 128, 128, 128]);
  const tensor = cascade.toInput([pixels(data, 2, 2)]);
  const firsts = [0, 3, 6, 9].map((i) => tensor[i] * 128 + 127.5);
  assert.deepEqual(firsts, [0, 64, 255, 128]);
});

test("candidates are windows in pixels of the image, regressed", () => {
  const scores = Float32Array.from([0.9, 0.1, 0.3, 0.7, 1, 0, 0.2, 0.8]); // 2 columns, 2 rows
  const offsets = new Float32Array(16);
  offsets.set([0.5, 0, 0, -0.25], 4);
  const { boxes, scores: kept } = cascade.candidateBoxes(scores, offsets, 2, 0.5, 0.6);
  assert.deepEqual([...boxes], [12, 4, 24, 22, 4, 4, 28, 28]);
  assert.deepEqual([...kept], [...Float32Array.from([0.7, 0.8])]);
});

test("of boxes that overlap the best is kept", () => {
  const boxes = Float32Array.from([0, 0, 10, 10, 1, 0, 11, 10, 20, 0, 30, 10]);
  assert.deepEqual(cascade.nms(boxes, Float32Array.from([0.8, 0.9, 0.7]), 0.5), [1, 2]);
  assert.deepEqual(cascade.nms(boxes, Float32Array.from([0.8, 0.9, 0.7]), 0.9), [1, 0, 2]);
  assert.deepEqual(cascade.nms(new Float32Array(0), new Float32Array(0), 0.5), []);
});

test("relative to the smaller box, a box inside a larger one is removed", () => {
  const boxes = Float32Array.from([0, 0, 20, 20, 5, 5, 10, 10]);
  const scores = Float32Array.from([0.9, 0.8]);
  assert.deepEqual(cascade.nms(boxes, scores, 0.7, "union"), [0, 1]);
  assert.deepEqual(cascade.nms(boxes, scores, 0.7, "smaller"), [0]);
});

test("boxes of equal score keep their order", () => {
  const boxes = Float32Array.from([0, 0, 1, 1, 5, 5, 6, 6, 8, 8, 9, 9]);
  assert.deepEqual(cascade.nms(boxes, Float32Array.from([0.5, 0.5, 0.5]), 0.5), [0, 1, 2]);
});

test("squares have the longer side and the same center", () => {
  assert.deepEqual([...cascade.toSquares(Float32Array.from([0, 0, 10, 20]))], [-5, 0, 15, 20]);
});

test("squares beyond the image are padded with black, also those wholly outside", () => {
  const image = pixels(new Uint8Array(30 * 30 * 3).fill(200), 30, 30);
  const squares = Float32Array.from([-12, 0, 12, 24, 100, 100, 130, 130, 3, 3, 3, 3]);
  const [half, none, point] = cascade.cropSquares(image, squares, 24);
  assert.deepEqual([half.data[0], half.data[3 * 11], half.data[3 * 12]], [0, 0, 200]);
  assert.ok(none.data.every((value) => value === 0));
  assert.ok(point.data.every((value) => value === 200));
});
