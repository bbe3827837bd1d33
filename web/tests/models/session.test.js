import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { values } from "../../runtime/exercise.js";
import { RUNTIMES } from "../../src/models/files.js";
import { OnnxSession, setRuntime, whyStopped } from "../../src/models/session.js";
import { DIST } from "../node_files.js";

const skip = !existsSync(DIST) && "the package is not built: type make web";
const STOPPING = fileURLToPath(new URL("../runtime/stopping_module.js", import.meta.url));
const SHAPE = [1, 31, 31, 3];

test(
  "after ONNX Runtime stopped, everything is the same clear error",
  { skip },
  async (context) => {
    const folder = await mkdtemp(join(tmpdir(), "stopping-"));
    context.after(() => rm(folder, { recursive: true }));
    const file = join(folder, "stopping.wasm");
    execFileSync(process.execPath, [STOPPING, file]);
    const { buffer } = new Uint8Array(await readFile(file));
    setRuntime(buffer, RUNTIMES.bundled);
    const weights = await readFile(join(DIST, "models", "mtcnn", "pnet.onnx"));
    const session = await OnnxSession.open(weights, "pnet.onnx");
    assert.equal(whyStopped(), null);
    const message =
      "ONNX Runtime must run pnet.onnx. It stopped: it needs code that ort-wasm-bundled.wasm does " +
      "not have. Load the page again.";
    const expected = { name: "ModelError", message };
    await assert.rejects(session.run(values(SHAPE), SHAPE), expected);
    assert.equal(whyStopped()?.message, message);
    await assert.rejects(session.run(values(SHAPE), SHAPE), expected);
    await assert.rejects(OnnxSession.open(weights, "onet.onnx"), expected);
  },
);

test("a thread has one module of ONNX Runtime", () => {
  assert.throws(() => setRuntime(new ArrayBuffer(8), RUNTIMES.all), {
    message:
      /one module of ONNX Runtime. Received npm.ort-wasm-simd-threaded.wasm, has ort-wasm-bun/,
  });
});
