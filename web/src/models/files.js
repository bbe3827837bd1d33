/** Where the files lie that are loaded at run time. */

import { ModelNotFoundError, describe, nearest } from "../errors.js";

// The built module lies in the same folder as these files. Each URL is written out, so that a bundler
// finds the file and copies it.

/** Files of the runtime and the detector, by their path in the package. */
const SHARED = {
  "ort-wasm-simd-threaded.wasm": new URL("./ort-wasm-simd-threaded.wasm", import.meta.url),
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
 * URLs of the files that every model needs.
 *
 * @param {string | URL | null} folder URL of a folder with the files of ``dist``; null takes those
 *   beside the module.
 * @returns {Record<string, string>} Path in the package → URL.
 */
export function sharedURLs(folder) {
  return Object.fromEntries(
    Object.entries(SHARED).map(([name, url]) => [name, folder ? inFolder(folder, name) : url.href]),
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
  if (!name.includes("/") && !Object.hasOwn(known, name)) {
    throw new ModelNotFoundError(
      `\`model\` must be a known model or the URL of a model folder. Received ${describe(model)}. ` +
        nearest(name, Object.keys(known)),
    );
  }
  return Object.fromEntries(
    ["card.json", "model.onnx"].map((file) => {
      if (name.includes("/")) return [file, inFolder(name, file)];
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
