import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { values, withRoomFor } from "../../runtime/exercise.js";
import { RUNTIMES } from "../../src/models/files.js";
import { OnnxSession, setRuntime } from "../../src/models/session.js";
import { DIST } from "../node_files.js";

const skip = !existsSync(DIST) && "the package is not built: type make web";

test("without memory for an input nothing is predicted any more", { skip }, async () => {
  const { buffer } = new Uint8Array(await readFile(join(DIST, RUNTIMES.bundled)));
  setRuntime(buffer, RUNTIMES.bundled);
  const weights = await readFile(join(DIST, "models", "mtcnn", "pnet.onnx"));
  const session = await OnnxSession.open(weights, "pnet.onnx");
  const shape = [1, 1000, 900, 3];
  const input = new Float32Array(1000 * 900 * 3).fill(1);
  const message =
    "ONNX Runtime must run pnet.onnx. It stopped: there was no memory for its input. Load the page " +
    "again.";
  const expected = { name: "ModelError", message };
  await assert.rejects(
    withRoomFor(0, () => session.run(input, shape)),
    expected,
  );
  await assert.rejects(session.run(values([1, 31, 31, 3]), [1, 31, 31, 3]), expected);
});
