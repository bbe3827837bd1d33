/**
 * Write ``dist/ort-wasm-bundled.wasm``: ONNX Runtime without most of what the networks of
 * ``dist/models`` do not need: `node build_runtime.js`, after their files are in ``dist``.
 *
 * All networks are loaded and run, in many shapes, damaged and without memory, with a module that
 * notes which functions are called. Kept are
 *
 * * these, and those that JavaScript can call by name;
 * * every function of at most `SMALL_BYTES`: error messages, destructors, accessors;
 * * whatever the code of a kept function names, by number or by its place in the table.
 *
 * A function that is left out is therefore a larger one that was not called, and is named by nothing
 * but the data of the module, or by others that are left out. Most are operators of other models. A
 * call of one is an error.
 */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { exercise, networks } from "./runtime/exercise.js";
import { WasmModule } from "./runtime/module.js";
import { startNoting } from "./runtime/profile.js";
import { RUNTIMES } from "./src/models/files.js";

const DIST = fileURLToPath(new URL("./dist/", import.meta.url));

/** Bytes of a function, its locals and its code, up to which it is kept. */
const SMALL_BYTES = 1000;

const module = new WasmModule(await readFile(join(DIST, RUNTIMES.all)));
const called = startNoting(module);
const { error } = console;
console.error = () => {}; // what ONNX Runtime says of the failures that are provoked
for (const network of await networks(join(DIST, "models"))) await exercise(network);
console.error = error;
const kept = module.withNamed([...module.roots, ...called(), ...module.upTo(SMALL_BYTES)]);
const bodies = module.functions.filter((index) => kept.has(index));
await writeFile(join(DIST, RUNTIMES.bundled), module.withOnly(kept));
console.log(`${RUNTIMES.bundled}: ${bodies.length} of ${module.functions.length} functions`);
