/** Run ONNX models with ONNX Runtime Web: WebAssembly, one thread. */

import { InferenceSession, Tensor, env } from "onnxruntime-web/wasm";

import { ModelError } from "../errors.js";

/**
 * An output of a model.
 *
 * @typedef {object} Output
 * @property {Float32Array} data
 * @property {readonly number[]} dims
 */

/**
 * Give ONNX Runtime its WebAssembly module. Call it once, before the first session.
 *
 * @param {ArrayBuffer} binary Content of the WebAssembly file.
 */
export function setRuntime(binary) {
  env.wasm.wasmBinary = binary;
  // Threads need a page that is isolated from other sites, which few hosts offer.
  env.wasm.numThreads = 1;
  env.logLevel = "fatal";
}

/**
 * Free the content of the WebAssembly file, megabytes: the browser has compiled it for the first session,
 * but ONNX Runtime keeps it.
 */
function freeRuntime() {
  const binary = env.wasm.wasmBinary;
  if (binary instanceof ArrayBuffer) structuredClone(binary, { transfer: [binary] });
  env.wasm.wasmBinary = undefined;
}

/** An ONNX model with one input. Calls run one after the other. */
export class OnnxSession {
  /**
   * @param {InferenceSession} session
   * @param {string} source
   */
  constructor(session, source) {
    this._session = session;
    this._source = source;
  }

  /**
   * Open an ONNX model.
   *
   * @param {Uint8Array} weights Content of the ONNX file.
   * @param {string} source Where it came from, for error messages.
   * @returns {Promise<OnnxSession>}
   * @throws {ModelError} The file is damaged.
   */
  static async open(weights, source) {
    try {
      const session = await InferenceSession.create(weights);
      freeRuntime();
      return new OnnxSession(session, source);
    } catch (error) {
      throw new ModelError(
        `The weights must be a sound ONNX file. Received ${source}: ${reason(error)}. ` +
          "Build the package again.",
      );
    }
  }

  /**
   * Compute the outputs for a batch.
   *
   * @param {Float32Array} data
   * @param {readonly number[]} dims Shape of `data`.
   * @returns {Promise<Output[]>} In the order of the model.
   * @throws {ModelError} The model failed.
   */
  async run(data, dims) {
    const [input] = this._session.inputNames;
    try {
      const outputs = await this._session.run({ [input]: new Tensor("float32", data, dims) });
      return this._session.outputNames.map((name) => ({
        data: /** @type {Float32Array} */ (outputs[name].data),
        dims: outputs[name].dims,
      }));
    } catch (error) {
      throw new ModelError(`${this._source} failed while running: ${reason(error)}.`);
    }
  }
}

/** @param {unknown} error */
function reason(error) {
  // Browsers have their own words for it: "unreachable", "unreachable executed" …
  if (error instanceof WebAssembly.RuntimeError && /^unreachable/i.test(error.message)) {
    return "it needs code that this build of ONNX Runtime does not have";
  }
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\.$/, "");
}
