/**
 * Print the SHA-256 of the outputs of the networks of the package in some fifty shapes, as JSON:
 * `node outputs.js MODULE`. No shape is one of those that the small module was made with.
 */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { networks, values } from "../../runtime/exercise.js";
import { OnnxSession, setRuntime } from "../../src/models/session.js";
import { DIST } from "../node_files.js";

const FACES = [10, 11, 12, 13, 15, 16, 18, 23, 31, 100];
const LEVELS = 20;

const [, , runtime] = process.argv;
setRuntime(new Uint8Array(await readFile(join(DIST, runtime))).buffer, runtime);
/** @type {Record<string, string>} */
const hashes = {};
for (const { path, shapes } of await networks(join(DIST, "models"))) {
  const session = await OnnxSession.open(await readFile(path), path);
  const [[, ...image]] = shapes;
  const others = path.endsWith("pnet.onnx")
    ? Array.from({ length: LEVELS }, (_, i) => [1, 16 + 7 * i, 211 - 9 * i, 3])
    : FACES.map((count) => [count, ...image]);
  for (const shape of others) {
    const hash = createHash("sha256");
    for (const { data } of await session.run(values(shape), shape)) hash.update(data);
    hashes[`${path.slice(DIST.length)} ${shape.join(" × ")}`] = hash.digest("hex");
  }
}
console.log(JSON.stringify(hashes));
