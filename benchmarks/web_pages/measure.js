/** What the benchmark calls in the page of one side: `side.html?side=NAME&first=IMAGE`. */

import { SIDES } from "./sides.js";

const query = new URLSearchParams(location.search);
const side = await SIDES[/** @type {string} */ (query.get("side"))]();
const readyMs = performance.now();
const first = await side.predict(await open(/** @type {string} */ (query.get("first"))));

/** Since the page was asked for: the library is loaded; the first image has its faces. */
globalThis.loaded = { readyMs, answerMs: performance.now(), faces: first.length };

/** @type {HTMLCanvasElement[]} */
let images = [];

/** Decode the images that `timeImages` takes. @param {string[]} urls */
globalThis.openImages = async (urls) => {
  images = await Promise.all(urls.map(open));
};

/** Predict the images in turn, and return the milliseconds and the number of faces of each. @param {number} count */
globalThis.timeImages = async (count) => {
  const times = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    const faces = await side.predict(images[i % images.length]);
    times.push({ ms: performance.now() - start, faces: faces.length });
  }
  return times;
};

/** The faces of each image. @param {string[]} urls */
globalThis.predictFiles = async (urls) => {
  const results = [];
  for (const url of urls) results.push(await side.predict(await open(url)));
  return results;
};

/** @param {string} url @returns {Promise<HTMLCanvasElement>} */
async function open(url) {
  const bitmap = await createImageBitmap(await (await fetch(url)).blob());
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
  bitmap.close();
  return canvas;
}
