/** What the tests read from the disk: the files of the package and PNG images. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inflateSync } from "node:zlib";

import { pixels } from "../src/media/pixels.js";

/** @typedef {import("../src/media/pixels.js").Pixels} Pixels */

/** The built package. */
export const DIST = fileURLToPath(new URL("../dist/", import.meta.url));

/**
 * Read files of a folder by name, as the worker does by URL.
 *
 * @param {string} folder
 * @returns {import("../src/models/store.js").FileReader}
 */
export function readerOf(folder) {
  return async (name) => new Uint8Array(await readFile(join(folder, name)));
}

/**
 * Read a PNG image of 8 bits, RGB or gray, not interlaced.
 *
 * @param {string} path
 * @returns {Promise<Pixels>}
 */
export async function readPNG(path) {
  const file = await readFile(path);
  const [width, height] = [file.readUInt32BE(16), file.readUInt32BE(20)];
  const samples = { 0: 1, 2: 3 }[file[25]];
  if (!samples || file[24] !== 8 || file[28] !== 0) throw new Error(`${path}: another kind of PNG`);
  /** @type {Buffer[]} */
  const parts = [];
  for (let start = 8; start < file.length; start += 12 + file.readUInt32BE(start)) {
    const length = file.readUInt32BE(start);
    if (file.toString("latin1", start + 4, start + 8) === "IDAT") {
      parts.push(file.subarray(start + 8, start + 8 + length));
    }
  }
  const values = unfilter(inflateSync(Buffer.concat(parts)), { width, height, samples });
  const data =
    samples === 3
      ? values
      : Uint8Array.from({ length: 3 * values.length }, (_, i) => values[Math.floor(i / 3)]);
  return pixels(data, width, height);
}

/**
 * Undo the filters of PNG: each byte is stored as the difference from its neighbors.
 *
 * @param {Uint8Array} filtered
 * @param {{width: number, height: number, samples: number}} size Samples per pixel: 1 or 3.
 */
function unfilter(filtered, { width, height, samples }) {
  const stride = samples * width;
  const data = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const kind = filtered[y * (stride + 1)];
    for (let i = 0; i < stride; i++) {
      const to = y * stride + i;
      const left = i >= samples ? data[to - samples] : 0;
      const above = y ? data[to - stride] : 0;
      const corner = y && i >= samples ? data[to - stride - samples] : 0;
      const predicted = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][kind];
      data[to] = filtered[y * (stride + 1) + 1 + i] + predicted;
    }
  }
  return data;
}

/**
 * @param {number} left
 * @param {number} above
 * @param {number} corner
 */
function paeth(left, above, corner) {
  const estimate = left + above - corner;
  const [a, b, c] = [left, above, corner].map((value) => Math.abs(estimate - value));
  if (a <= b && a <= c) return left;
  return b <= c ? above : corner;
}
