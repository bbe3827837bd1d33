/** `WorkerClient`: sends requests to a worker and waits for its answers. */

import { ModelNotFoundError, unpackError } from "./errors.js";

/** @typedef {import("./models/fetch.js").Progress} Progress */

/** @typedef {{resolve: (result: any) => void, reject: (error: unknown) => void}} Waiting */

/** A request that a worker gave back, because ONNX Runtime stopped in it. */
export class Unanswered {
  /**
   * @param {Error} error
   * @param {object} request It can be sent to another worker.
   */
  constructor(error, request) {
    this.error = error;
    this.request = request;
  }
}

/** A worker and its requests, which it answers one after the other. */
export class WorkerClient {
  /** @param {((progress: Progress) => void) | undefined} onProgress */
  constructor(onProgress) {
    this._requests = 0;
    /** @type {Map<number, Waiting>} */
    this._waiting = new Map();
    /** Why requests are refused from now on. @type {Error | null} */
    this._ended = null;
    /** Called after each answer. @type {(value?: any) => void} */
    this._onAnswer = () => {};
    this._worker = new Worker(new URL("./worker.js", import.meta.url), {
      type: "module",
      name: "emopy",
    });
    this._worker.addEventListener("message", ({ data }) => {
      if (data.progress) onProgress?.(data.progress);
      else this._settle(data);
    });
    this._worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.end(workerError(event));
    });
  }

  /**
   * Send a request and wait for its answer.
   *
   * @param {string} method
   * @param {object} request
   * @param {Transferable[]} [transfer]
   * @returns {Promise<any>}
   * @throws {Error | Unanswered}
   */
  call(method, request, transfer = []) {
    if (this._ended) return Promise.reject(this._ended);
    const id = ++this._requests;
    return new Promise((resolve, reject) => {
      this._worker.postMessage({ id, method, request }, transfer);
      this._waiting.set(id, { resolve, reject });
    });
  }

  /** Wait until every request has its answer. */
  async answered() {
    while (this._waiting.size) await new Promise((resolve) => (this._onAnswer = resolve));
  }

  /** Stop the worker and free its memory. @param {Error} reason Of requests without an answer. */
  end(reason) {
    this._ended ??= reason;
    this._worker.terminate();
    for (const { reject } of this._waiting.values()) reject(this._ended);
    this._waiting.clear();
    this._onAnswer();
  }

  /** @param {{id: number, result?: any, error?: any, unanswered?: object}} answer */
  _settle({ id, result, error, unanswered }) {
    const waiting = this._waiting.get(id);
    this._waiting.delete(id);
    if (!error) waiting?.resolve(result);
    else if (unanswered) waiting?.reject(new Unanswered(unpackError(error), unanswered));
    else waiting?.reject(unpackError(error));
    this._onAnswer();
  }
}

/** @param {ErrorEvent} event */
function workerError(event) {
  // An error without a text is one of loading: the file is not there, or the page forbids it.
  if (event.message) return new Error(event.message);
  return new ModelNotFoundError(
    "The file worker.js must be on the server, and the page must be allowed to start it. " +
      `Looked for it beside ${import.meta.url}. Copy all files of the package's folder dist.`,
  );
}
