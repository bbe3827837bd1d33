/** Run ONNX models with ONNX Runtime Web: WebAssembly, one thread. */

import { InferenceSession, Tensor, env } from "onnxruntime-web/wasm";

import { ModelError } from "../errors.js";
import { RUNTIMES } from "./files.js";

/**
 * An output of a model.
 *
 * @typedef {object} Output
 * @property {Float32Array} data
 * @property {readonly number[]} dims
 */

/** The module of this thread: ONNX Runtime keeps the first one. @type {string | null} */
let runtime = null;

/** Why ONNX Runtime cannot be used any more in this thread. @type {ModelError | null} */
let stopped = null;

/** The start of the memory of ONNX Runtime, which no program writes to. @type {Uint8Array | null} */
let lowMemory = null;
const LOW_BYTES = 64;

// ONNX Runtime does not check whether it got memory for an input: without, it writes to address 0,
// over its own data. It first asks for more memory; then the start of that is noted.
const { grow } = WebAssembly.Memory.prototype;
WebAssembly.Memory.prototype.grow = function (pages) {
  lowMemory ??= new Uint8Array(this.buffer, 0, LOW_BYTES);
  return grow.call(this, pages);
};

/**
 * Give ONNX Runtime its WebAssembly module: one for a thread, before the first session.
 *
 * @param {ArrayBuffer} binary Content of the WebAssembly file.
 * @param {string} name Its path in the package.
 * @throws {Error} This thread has another one.
 */
export function setRuntime(binary, name) {
  if (runtime !== null && runtime !== name) {
    throw new Error(
      `A thread must have one module of ONNX Runtime. Received ${name}, has ${runtime}.`,
    );
  }
  runtime = name;
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

/**
 * Whether ONNX Runtime stopped in the middle of its work. Its memory may then be in any state, so
 * that nothing more is run in this thread: all that is asked for is the same error.
 *
 * @returns {ModelError | null} Why.
 */
export function whyStopped() {
  return stopped;
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
   * @throws {ModelError} The file is damaged, there is too little memory, or ONNX Runtime stopped.
   */
  static async open(weights, source) {
    try {
      const session = await unlessStopped(source, () => InferenceSession.create(weights));
      freeRuntime();
      return new OnnxSession(session, source);
    } catch (error) {
      if (error === stopped) throw error;
      if (isMemoryError(error)) {
        throw new ModelError(
          `There must be memory for ${source}. Received too little. Close other pages, and load ` +
            "this one again.",
        );
      }
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
   * @throws {ModelError} The model failed, or ONNX Runtime stopped.
   */
  async run(data, dims) {
    const session = this._session;
    const [input] = session.inputNames;
    try {
      const outputs = await unlessStopped(this._source, () =>
        session.run({ [input]: new Tensor("float32", data, dims) }),
      );
      return session.outputNames.map((name) => ({
        data: /** @type {Float32Array} */ (outputs[name].data),
        dims: outputs[name].dims,
      }));
    } catch (error) {
      if (error === stopped) throw error;
      throw new ModelError(`${this._source} failed while running: ${reason(error)}.`);
    }
  }

  /** Free the memory of the model. */
  async close() {
    await this._session.release();
  }
}

/**
 * @template T
 * @param {string} source The model that is used, for error messages.
 * @param {() => Promise<T>} task
 * @returns {Promise<T>}
 * @throws {ModelError} ONNX Runtime stopped, now or before.
 */
async function unlessStopped(source, task) {
  if (stopped) throw stopped;
  try {
    return await task();
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    throw stop(source, cause(error));
  } finally {
    if (lowMemory?.some((byte) => byte !== 0)) {
      stop(source, "there was no memory for its input");
      throw stopped;
    }
  }
}

/** @param {string} source @param {string} why */
function stop(source, why) {
  stopped = new ModelError(
    `ONNX Runtime must run ${source}. It stopped: ${why}. Load the page again.`,
  );
  return stopped;
}

/** @param {WebAssembly.RuntimeError} error */
function cause(error) {
  // Browsers have their own words for it: "unreachable", "unreachable executed" …
  if (runtime === RUNTIMES.bundled && /^unreachable/i.test(error.message)) {
    return `it needs code that ${runtime} does not have`;
  }
  return reason(error);
}

/** Whether there was too little memory for something. @param {unknown} error */
function isMemoryError(error) {
  return error instanceof RangeError || /bad_alloc|failed to allocate/.test(String(error));
}

/** @param {unknown} error */
function reason(error) {
  const text = error instanceof Error ? error.message : String(error);
  if (isMemoryError(error)) {
    return "there is not enough memory. Use a smaller image, or a larger minFaceSize";
  }
  return text.replace(/\.$/, "");
}
