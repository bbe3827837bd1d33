import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import {
  crop,
  cropReplicated,
  pixels,
  subsample,
  toGray,
  toPixels,
} from "../../src/media/pixels.js";
import { resizeArea, resizeLinear } from "../../src/media/resize.js";
import { roundHalfEven } from "../../src/media/rounding.js";
import { invert, warpAffine } from "../../src/media/warp.js";

const golden = JSON.parse(await readFile(new URL("../arithmetic.json", import.meta.url), "utf-8"));
const { width: columns, height: rows } = golden.image;
const image = pixels(Uint8Array.from(golden.image.data), columns, rows);

/** @param {import("../../src/media/pixels.js").Pixels} rgb */
function withAlpha({ data, width, height }) {
  const rgba = new Uint8Array(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) rgba.set(data.subarray(3 * i, 3 * i + 3), 4 * i);
  return pixels(rgba, width, height, 4);
}

/**
 * The same image as a rectangle of a larger one.
 *
 * @param {import("../../src/media/pixels.js").Pixels} rgb
 */
function inside({ data, width, height }) {
  const larger = pixels(
    new Uint8Array((width + 5) * (height + 4) * 3).fill(77),
    width + 5,
    height + 4,
  );
  for (let y = 0; y < height; y++) {
    larger.data.set(
      data.subarray(y * width * 3, (y + 1) * width * 3),
      ((y + 1) * larger.width + 2) * 3,
    );
  }
  return crop(larger, { left: 2, top: 1, right: 2 + width, bottom: 1 + height });
}

const forms = [image, withAlpha(image), inside(image)];

for (const { method, width, height, data } of golden.resized) {
  test(`${method} to ${width} × ${height} gives the pixels of OpenCV`, () => {
    const resize = method === "resizeArea" ? resizeArea : resizeLinear;
    for (const form of forms) assert.deepEqual([...resize(form, width, height).data], data);
  });
}

test("warpAffine gives the pixels of OpenCV", () => {
  const { matrix, width, height, data } = golden.warped;
  for (const form of forms) {
    assert.deepEqual([...warpAffine(form, matrix, width, height).data], data);
  }
});

test("toGray gives the levels of OpenCV", () => {
  assert.deepEqual([...toGray(image)], golden.gray);
});

test("an inverted transform undoes the transform", () => {
  const [a, b, c, d, e, f] = invert([0.8, -0.3, 2, 0.3, 0.8, -4]);
  const [x, y] = [0.8 * 5 - 0.3 * 7 + 2, 0.3 * 5 + 0.8 * 7 - 4];
  assert.ok(Math.abs(a * x + b * y + c - 5) < 1e-12 && Math.abs(d * x + e * y + f - 7) < 1e-12);
});

test("halves are rounded to the even number", () => {
  assert.deepEqual(
    [0.5, 1.5, 2.5, 2.4, 2.6, -0.5, -1.5].map(roundHalfEven),
    [0, 2, 2, 2, 3, 0, -2].map((v) => v || 0),
  );
});

const tiny = pixels(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]), 2, 2);

test("a crop is black beyond the image", () => {
  const { data, width, height } = crop(tiny, { left: -1, top: 1, right: 2, bottom: 3 });
  assert.deepEqual([width, height], [3, 2]);
  assert.deepEqual([...data], [0, 0, 0, 7, 8, 9, 10, 11, 12, ...Array(9).fill(0)]);
});

test("a replicated crop repeats the last pixels", () => {
  const { data } = cropReplicated(tiny, { left: 1, top: 0, right: 3, bottom: 3 });
  assert.deepEqual([...data], [4, 5, 6, 4, 5, 6, 10, 11, 12, 10, 11, 12, 10, 11, 12, 10, 11, 12]);
});

test("every second pixel of every second row is taken", () => {
  assert.deepEqual([...subsample(tiny, 2).data], [1, 2, 3]);
  assert.equal(subsample(tiny, 1), tiny);
});

test("transparency is composited on white", () => {
  const data = Uint8ClampedArray.from([0, 0, 0, 0, 100, 100, 100, 255, 0, 0, 0, 128]);
  assert.deepEqual(
    [...toPixels({ data, width: 3, height: 1 }).data],
    [255, 255, 255, 255, 100, 100, 100, 255, 127, 127, 127, 255],
  );
  assert.equal(data[0], 0);
});

test("an opaque image is not copied", () => {
  const data = Uint8ClampedArray.from(withAlpha(tiny).data);
  assert.equal(toPixels({ data, width: 2, height: 2 }).data.buffer, data.buffer);
  const rectangle = { left: 0, top: 1, right: 2, bottom: 2 };
  for (const taken of [crop(tiny, rectangle), cropReplicated(tiny, rectangle)]) {
    assert.equal(taken.data, tiny.data);
    assert.deepEqual([taken.start, taken.stride, taken.height], [6, 6, 1]);
  }
});

test("images of another depth or size are refused", () => {
  const floats = /** @type {any} */ ({ data: new Float32Array(12), width: 2, height: 2 });
  assert.throws(() => toPixels(floats), { name: "InputError", message: /8 bits.*Float32Array/ });
  assert.throws(() => toPixels({ data: new Uint8Array(4), width: 2, height: 2 }), {
    message: /2 × 2 with 4 values/,
  });
  assert.throws(() => toPixels({ data: new Uint8Array(0), width: 0, height: 0 }), {
    name: "InputError",
  });
});
