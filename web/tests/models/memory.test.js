import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { growing, values, withRoomFor } from "../../runtime/exercise.js";
import { RUNTIMES } from "../../src/models/files.js";
import { OnnxSession, setRuntime, whyStopped } from "../../src/models/session.js";
import { DIST } from "../node_files.js";

const skip = !existsSync(DIST) && "the package is not built: type make web";

async function startRuntime() {
  const { buffer } = new Uint8Array(await readFile(join(DIST, RUNTIMES.bundled)));
  setRuntime(buffer, RUNTIMES.bundled);
}

/** Open a model until there is no memory for another one. @param {Uint8Array} weights */
async function openMany(weights) {
  /** @type {OnnxSession[]} */
  const sessions = [];
  try {
    while (sessions.length < 1000) sessions.push(await OnnxSession.open(weights, "many.onnx"));
  } finally {
    for (const session of sessions) await session.close();
  }
}

test("a model that there is no memory for is an error that says so", { skip }, async () => {
  await startRuntime();
  const weights = await readFile(join(DIST, "models", "mtcnn", "onet.onnx"));
  await assert.rejects(
    withRoomFor(0, () => openMany(weights)),
    { name: "ModelError", message: /There must be memory for many\.onnx/ },
  );
  assert.equal(whyStopped(), null);
});

/** @type {[string, number[]][]} */
const NETWORKS = [
  ["pnet", [1, 12, 12, 3]],
  ["rnet", [1, 24, 24, 3]],
  ["onet", [1, 48, 48, 3]],
];
for (const [name, shape] of NETWORKS) {
  test(`${name} without memory is an error that says so, and runs again`, { skip }, async () => {
    await startRuntime();
    const weights = await readFile(join(DIST, "models", "mtcnn", `${name}.onnx`));
    const session = await OnnxSession.open(weights, `${name}.onnx`);
    const before = await session.run(values(shape), shape);
    /** @type {string[]} */
    const errors = [];
    for (const larger of growing(shape)) {
      const input = new Float32Array(larger.reduce((count, side) => count * side, 1));
      await withRoomFor(input.byteLength, () => session.run(input, larger)).catch(({ message }) =>
        errors.push(message),
      );
    }
    assert.ok(errors.length);
    for (const message of errors)
      assert.match(message, /failed while running: .* not enough memory/);
    assert.equal(whyStopped(), null);
    assert.deepEqual(await session.run(values(shape), shape), before);
  });
}
