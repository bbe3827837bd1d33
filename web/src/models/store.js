/** Load the runtime, the detector and a model, and check them. */

import { ModelError } from "../errors.js";
import { cardFromJSON } from "./card.js";
import { OnnxSession, setRuntime } from "./session.js";

/** @typedef {import("./card.js").ModelCard} ModelCard */

const NETWORKS = /** @type {const} */ (["pnet", "rnet", "onet"]);

/**
 * Reads a file of the package or of a model folder.
 *
 * @typedef {(name: string) => Promise<Uint8Array<ArrayBuffer>>} FileReader
 */

/**
 * A model that is ready to run.
 *
 * @typedef {object} LoadedModel
 * @property {ModelCard} card
 * @property {OnnxSession} session
 */

/**
 * Start ONNX Runtime.
 *
 * @param {FileReader} read Reads the files of the package.
 * @param {string} runtime Its WebAssembly module, by its path in the package.
 */
export async function openRuntime(read, runtime) {
  setRuntime((await read(runtime)).buffer, runtime);
}

/**
 * Load the three networks of the face detector.
 *
 * @param {FileReader} read Reads the files of the package.
 * @returns {Promise<{pnet: OnnxSession, rnet: OnnxSession, onet: OnnxSession}>}
 * @throws {ModelError} A file is missing or damaged.
 */
export async function loadDetector(read) {
  const files = await Promise.all(NETWORKS.map((name) => read(`models/mtcnn/${name}.onnx`)));
  /** @type {OnnxSession[]} */
  const sessions = [];
  for (const [i, name] of NETWORKS.entries())
    sessions.push(await OnnxSession.open(files[i], `${name}.onnx`));
  const [pnet, rnet, onet] = sessions;
  return { pnet, rnet, onet };
}

/**
 * Load a model folder and check that card and weights belong together.
 *
 * @param {FileReader} read Reads ``card.json`` and ``model.onnx``.
 * @returns {Promise<LoadedModel>}
 * @throws {ModelError} A file is missing or damaged, or the model takes clips.
 */
export async function loadModel(read) {
  const [text, weights] = await Promise.all([read("card.json"), read("model.onnx")]);
  const card = cardFromJSON(new TextDecoder().decode(text), "card.json");
  if (card.input.frames > 1) {
    throw new ModelError(
      `\`model\` must take still images here. Received '${card.name}', which takes clips of ` +
        `${card.input.frames} frames. Choose another model.`,
    );
  }
  await checkHash(weights, card);
  return { card, session: await OnnxSession.open(weights, `model.onnx of ${card.name}`) };
}

/**
 * Check the SHA-256 of the weights; pages without HTTPS cannot.
 *
 * @param {Uint8Array<ArrayBuffer>} weights
 * @param {ModelCard} card
 */
async function checkHash(weights, card) {
  const expected = card.files["model.onnx"];
  if (expected === undefined || !globalThis.crypto?.subtle) return;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", weights));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== expected) {
    throw new ModelError(
      `The weights must be those of the card. Received a model.onnx of ${card.name} with another ` +
        "SHA-256. Load the page again without the browser's cache, or build the package again.",
    );
  }
}
