/** Where the files lie that are loaded at run time. */

import { ModelNotFoundError, describe, nearest } from "../errors.js";

// The built module lies in the same folder as these files. Each URL is written out, so that a bundler
// finds the file and copies it.

/**
 * The WebAssembly modules of ONNX Runtime: for the models of the package, without what they do not
 * need, and for all models.
 */
export const RUNTIMES = {
  bundled: "ort-wasm-bundled.wasm",
  all: "npm/ort-wasm-simd-threaded.wasm",
};

/** Where they are, by name. @type {Record<string, URL>} */
const RUNTIME_URLS = {
  [RUNTIMES.bundled]: new URL("./ort-wasm-bundled.wasm", import.meta.url),
  [RUNTIMES.all]: new URL("./npm/ort-wasm-simd-threaded.wasm", import.meta.url),
};

/** Files of the detector, by their path in the package. */
const DETECTOR = {
  "models/mtcnn/pnet.onnx": new URL("./models/mtcnn/pnet.onnx", import.meta.url),
  "models/mtcnn/rnet.onnx": new URL("./models/mtcnn/rnet.onnx", import.meta.url),
  "models/mtcnn/onet.onnx": new URL("./models/mtcnn/onet.onnx", import.meta.url),
};

/** Files of each model that the package contains. */
const MODELS = {
  "emopy-base": {
    "card.json": new URL("./models/emopy-base/card.json", import.meta.url),
    "model.onnx": new URL("./models/emopy-base/model.onnx", import.meta.url),
  },
  "emopy-tiny": {
    "card.json": new URL("./models/emopy-tiny/card.json", import.meta.url),
    "model.onnx": new URL("./models/emopy-tiny/model.onnx", import.meta.url),
  },
};

/** The model that is used when none is named, as in Python. */
export const DEFAULT_MODEL = "emopy-base";

/**
 * The module of ONNX Runtime that a model needs.
 *
 * @param {string | URL} model Name of a model, or URL of a model folder.
 * @returns {string} Its path in the package.
 */
export function runtimeOf(model) {
  return isName(model) ? RUNTIMES.bundled : RUNTIMES.all;
}

/** Whether a model of the package is meant. @param {string | URL} model */
function isName(model) {
  return !String(model).includes("/");
}

/**
 * URLs of the files that a model needs besides its own.
 *
 * @param {string | URL | null} folder URL of a folder with the files of ``dist``; null takes those
 *   beside the module.
 * @param {string} runtime The module of ONNX Runtime, by its path in the package.
 * @returns {Record<string, string>} Path in the package → URL.
 */
export function sharedURLs(folder, runtime) {
  const files = { [runtime]: RUNTIME_URLS[runtime], ...DETECTOR };
  return Object.fromEntries(
    Object.entries(files).map(([name, url]) => [name, folder ? inFolder(folder, name) : url.href]),
  );
}

/**
 * URLs of the two files of a model.
 *
 * @param {string | URL} model Name of a model, or URL of a model folder.
 * @param {string | URL | null} folder As for `sharedURLs`.
 * @returns {Record<string, string>} ``card.json`` and ``model.onnx`` → URL.
 * @throws {ModelNotFoundError} No such model.
 */
export function modelURLs(model, folder) {
  const name = String(model);
  const known = /** @type {Record<string, Record<string, URL>>} */ (MODELS);
  if (isName(model) && !Object.hasOwn(known, name)) {
    throw new ModelNotFoundError(
      `\`model\` must be a known model or the URL of a model folder. Received ${describe(model)}. ` +
        nearest(name, Object.keys(known)),
    );
  }
  return Object.fromEntries(
    ["card.json", "model.onnx"].map((file) => {
      if (!isName(model)) return [file, inFolder(name, file)];
      return [file, folder ? inFolder(folder, `models/${name}/${file}`) : known[name][file].href];
    }),
  );
}

/**
 * @param {string | URL} folder Relative URLs refer to the page.
 * @param {string} name
 */
function inFolder(folder, name) {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  return new URL(name, new URL(String(folder).replace(/\/*$/, "/"), base)).href;
}
