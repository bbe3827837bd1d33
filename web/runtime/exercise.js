/** Run networks in all ways that the page can: many shapes, damaged, and without memory. */

import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

import { OnnxSession } from "../src/models/session.js";

/** Columns and rows of levels of an image pyramid: the smallest, odd ones, and large ones. */
const LEVELS = [...pairs([12, 13, 14, 15, 31]), [97, 45], [400, 300], [1300, 1000]];

/** Faces of one call: each number of the last vectors of a matrix product, and many. */
const BATCHES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 64, 301];

/** Most candidates that R-Net gets. */
const MANY = 2000;

/** Input shapes of the networks of the detector. @type {Record<string, number[][]>} */
const DETECTOR_SHAPES = {
  "pnet.onnx": LEVELS.map(([width, height]) => [1, width, height, 3]),
  "rnet.onnx": [...BATCHES, MANY].map((count) => [count, 24, 24, 3]),
  "onet.onnx": BATCHES.map((count) => [count, 48, 48, 3]),
};

/** Bytes of a page of memory; pages that no memory can grow by; and how much more than what is asked
 * for ONNX Runtime takes. */
const PAGE_BYTES = 65536;
const MAX_PAGES = 65536;
const ROOM = 1.06;

/** Factors of the values of an input that is run without enough memory, one after the other. */
const FACTORS = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128];

/** Largest input of these, in values. */
const MAX_VALUES = 60e6;

/**
 * A network of the package.
 *
 * @typedef {object} Network
 * @property {string} path
 * @property {number[][]} shapes Those that it is run with.
 */

/** @param {readonly number[]} sides */
function pairs(sides) {
  return sides.flatMap((one) => sides.map((other) => [one, other]));
}

/**
 * Every ONNX file of the package with the shapes that it is run with.
 *
 * @param {string} models Folder of the models.
 * @returns {Promise<Network[]>}
 */
export async function networks(models) {
  /** @type {Network[]} */
  const found = [];
  for (const model of await readdir(models)) {
    const folder = join(models, model);
    for (const name of (await readdir(folder)).filter((each) => /onnx$/.test(each))) {
      const shapes = DETECTOR_SHAPES[name] ?? (await shapesOf(folder));
      found.push({ path: join(folder, name), shapes });
    }
  }
  return found;
}

/** @param {string} folder */
async function shapesOf(folder) {
  const card = await readFile(join(folder, "card.json"), "utf-8");
  const { height, width, channels } = JSON.parse(card).input;
  return BATCHES.map((count) => [count, height, width, channels]);
}

/**
 * Load and run a network in each of its shapes, twice: the second time, memory is used as noted in
 * the first. Then provoke errors, and close it.
 *
 * @param {Network} network
 */
export async function exercise({ path, shapes }) {
  const weights = await readFile(path);
  const session = await OnnxSession.open(weights, path);
  for (const shape of shapes) {
    const input = values(shape);
    await session.run(input, shape);
    await session.run(input, shape);
  }
  for (const shape of wrongShapes(shapes[0])) {
    await session.run(values(shape), shape).catch(() => {});
  }
  for (const shape of growing(shapes[0])) {
    const input = new Float32Array(product(shape));
    await withRoomFor(input.byteLength, () => session.run(input, shape)).catch(() => {});
  }
  await withRoomFor(2 * weights.length, () => OnnxSession.open(weights, path)).catch(() => {});
  await session.run(values(shapes[0]), shapes[0]);
  await session.close();
  for (const damaged of damages(weights)) await OnnxSession.open(damaged, path).catch(() => {});
}

/**
 * Shapes that a network cannot take: refused at once, or by one of its nodes.
 *
 * @param {readonly number[]} shape
 */
function wrongShapes([count, ...image]) {
  const [first, second, channels] = image;
  return [
    image,
    [0, ...image],
    [count, first, second, channels + 1],
    ...[1, 2, 3, 5, 9].map((side) => [count, side, side, channels]),
    [count, first + 1, second, channels],
    [count, first, second - 1, channels],
  ];
}

/**
 * Larger and larger shapes: levels of P-Net have more columns and rows, others are more faces.
 *
 * @param {readonly number[]} shape
 */
export function growing([, first, second, channels]) {
  const isLevel = first < 24;
  return FACTORS.map((factor) =>
    isLevel
      ? [1, 8 * factor * first, 8 * factor * second, channels]
      : [40 * factor, first, second, channels],
  ).filter((shape) => product(shape) <= MAX_VALUES);
}

/**
 * Do something while the memory of WebAssembly can grow by little more than so many bytes, in all.
 *
 * @template T
 * @param {number} bytes
 * @param {() => Promise<T>} task
 * @returns {Promise<T>}
 */
export async function withRoomFor(bytes, task) {
  const { grow } = WebAssembly.Memory.prototype;
  let limit = 0;
  WebAssembly.Memory.prototype.grow = function (pages) {
    limit ||= Math.ceil(ROOM * (this.buffer.byteLength + bytes));
    const isTooMuch = this.buffer.byteLength + pages * PAGE_BYTES > limit;
    return grow.call(this, isTooMuch ? MAX_PAGES : pages);
  };
  try {
    return await task();
  } finally {
    WebAssembly.Memory.prototype.grow = grow;
  }
}

/** ONNX files that are cut off, or have wrong bytes. @param {Uint8Array} weights */
function* damages(weights) {
  for (const part of [0, 0.1, 0.5, 0.99]) {
    yield weights.subarray(0, Math.floor(part * weights.length));
  }
  for (const step of [50, 500, 5000]) {
    yield weights.map((byte, i) => (i % step ? byte : 255 - byte));
  }
}

/** @param {readonly number[]} shape */
function product(shape) {
  return shape.reduce((values, side) => values * side, 1);
}

/** Values from −1 to 1. @param {readonly number[]} shape */
export function values(shape) {
  return Float32Array.from({ length: product(shape) }, (_, i) => Math.sin(i * i));
}
