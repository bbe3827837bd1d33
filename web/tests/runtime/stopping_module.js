/**
 * Write a module of ONNX Runtime that loads the models of the package, and stops in the middle of a
 * run of P-Net: `node stopping_module.js FILE`. The largest function that only a run needs is missing.
 */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { networks, values } from "../../runtime/exercise.js";
import { WasmModule } from "../../runtime/module.js";
import { startNoting } from "../../runtime/profile.js";
import { RUNTIMES } from "../../src/models/files.js";
import { OnnxSession } from "../../src/models/session.js";
import { DIST } from "../node_files.js";

const module = new WasmModule(await readFile(join(DIST, RUNTIMES.all)));
const called = startNoting(module);
const found = await networks(join(DIST, "models"));
const sessions = new Map();
for (const { path } of found) {
  sessions.set(path, await OnnxSession.open(await readFile(path), path));
}
const loading = new Set(called());
const pnet = join(DIST, "models", "mtcnn", "pnet.onnx");
await sessions.get(pnet).run(values([1, 31, 31, 3]), [1, 31, 31, 3]);
const running = called().filter((index) => !loading.has(index));
const [largest] = running.sort((one, other) => module.sizeOf(other) - module.sizeOf(one));
const others = new Set(module.functions.filter((index) => index !== largest));
await writeFile(process.argv[2], module.withOnly(others));
