/**
 * Write ``dist/ort-wasm-bundled.wasm``: ONNX Runtime with the functions that the networks of
 * ``dist/models`` need, a third of all: `node build_runtime.js`, after their files are in ``dist``.
 *
 * All networks are loaded and run, in many shapes, with a module that notes which functions are
 * called. These are kept, those that the page can call by name, and whatever the kept ones name in
 * their code: error messages, the growth of memory, other branches. Left out are functions that are
 * only reached through a table, such as the operators of other models. A call of one is an error.
 */

import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { WasmModule } from "./runtime/module.js";
import { OnnxSession, setRuntime } from "./src/models/session.js";
import { RUNTIMES } from "./src/models/files.js";

const DIST = fileURLToPath(new URL("./dist/", import.meta.url));
const MODELS = join(DIST, "models");

/** Columns and rows of levels of an image pyramid: the smallest, odd ones, and a large one. */
const LEVELS = [...pairs([12, 13, 14, 15, 31]), [97, 45], [400, 300]];

/** Faces of one call: each number of the last vectors of a matrix product, and many. */
const BATCHES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 64, 301];

/** Input shapes of the networks of the detector. @type {Record<string, number[][]>} */
const DETECTOR_SHAPES = {
  "pnet.onnx": LEVELS.map(([width, height]) => [1, width, height, 3]),
  "rnet.onnx": BATCHES.map((count) => [count, 24, 24, 3]),
  "onet.onnx": BATCHES.map((count) => [count, 48, 48, 3]),
};

/** @param {readonly number[]} sides */
function pairs(sides) {
  return sides.flatMap((one) => sides.map((other) => [one, other]));
}

/** The instances of modules that are started from now on. */
function watchInstances() {
  /** @type {WebAssembly.Instance[]} */
  const instances = [];
  const instantiate = WebAssembly.instantiate;
  WebAssembly.instantiate = /** @type {typeof instantiate} */ (
    async (/** @type {[any, any]} */ ...source) => {
      const started = /** @type {WebAssembly.WebAssemblyInstantiatedSource} */ (
        /** @type {unknown} */ (await instantiate(...source))
      );
      instances.push(started.instance);
      return started;
    }
  );
  return instances;
}

/** Every ONNX file of the package with the shapes that it is run with. */
async function networks() {
  /** @type {{path: string, shapes: number[][]}[]} */
  const found = [];
  for (const model of await readdir(MODELS)) {
    for (const name of (await readdir(join(MODELS, model))).filter((each) => /onnx$/.test(each))) {
      const path = join(MODELS, model, name);
      found.push({ path, shapes: DETECTOR_SHAPES[name] ?? (await shapesOf(model)) });
    }
  }
  return found;
}

/** @param {string} model */
async function shapesOf(model) {
  const card = await readFile(join(MODELS, model, "card.json"), "utf-8");
  const { height, width, channels } = JSON.parse(card).input;
  return BATCHES.map((count) => [count, height, width, channels]);
}

/** Load and run a network in each of its shapes; then in a wrong one, and damaged, as errors show. @param {{path: string, shapes: number[][]}} network */
async function exercise({ path, shapes }) {
  const weights = await readFile(path);
  const session = await OnnxSession.open(weights, path);
  for (const shape of shapes) await session.run(values(shape), shape);
  const wrong = shapes[0].slice(1);
  await session.run(values(wrong), wrong).catch(() => {});
  for (const part of [0, 0.1, 0.5, 0.99]) {
    const cut = weights.subarray(0, Math.floor(part * weights.length));
    await OnnxSession.open(cut, path).catch(() => {});
  }
  await OnnxSession.open(
    weights.map((byte, i) => (i % 500 ? byte : 255 - byte)),
    path,
  ).catch(() => {});
}

/** Values from −1 to 1. @param {readonly number[]} shape */
function values(shape) {
  const size = shape.reduce((product, side) => product * side, 1);
  return Float32Array.from({ length: size }, (_, i) => Math.sin(i * i));
}

const module = new WasmModule(await readFile(join(DIST, RUNTIMES.all)));
setRuntime(module.instrumented().buffer);
const instances = watchInstances();
for (const network of await networks()) await exercise(network);
const [{ exports }] = instances;
const called = module.functions.filter(
  (index) => /** @type {WebAssembly.Global} */ (exports[WasmModule.counterOf(index)]).value,
);
const kept = module.withNamed([...module.roots, ...called]);
await writeFile(join(DIST, RUNTIMES.bundled), module.withOnly(kept));
console.log(`${RUNTIMES.bundled}: ${kept.size} of ${module.functions.length} functions`);
