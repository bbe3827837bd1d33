/** Download the files that are loaded at run time. */

import { ModelNotFoundError } from "../errors.js";

/**
 * Progress of loading.
 *
 * @typedef {object} Progress
 * @property {number} loaded Bytes that have arrived, of all files together.
 * @property {number} total Bytes of all files whose size is known by now.
 */

/** Downloads files and adds up their progress. */
export class Downloads {
  /** @param {(progress: Progress) => void} report */
  constructor(report) {
    this._report = report;
    this._loaded = 0;
    this._total = 0;
  }

  /**
   * Download a file.
   *
   * @param {string} name Path of the file in the package or the model folder, for error messages.
   * @param {string} url
   * @returns {Promise<Uint8Array<ArrayBuffer>>}
   * @throws {ModelNotFoundError} It is not there.
   */
  async get(name, url) {
    let response;
    try {
      response = await fetch(url);
    } catch (error) {
      throw missing(name, url, error instanceof Error ? error.message : String(error));
    }
    if (!response.ok) throw missing(name, url, `status ${response.status}`);
    // Development servers answer with their start page where a file is missing.
    if (response.headers.get("content-type")?.startsWith("text/html")) {
      throw missing(name, url, "an HTML page");
    }
    return this._read(response);
  }

  /** @param {Response} response */
  async _read(response) {
    const isPlain = !response.headers.get("content-encoding");
    const size = isPlain ? Number(response.headers.get("content-length") ?? 0) : 0;
    this._total += size;
    /** @type {Uint8Array[]} */
    const parts = [];
    let length = 0;
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      parts.push(part.value);
      length += part.value.length;
      this._loaded += part.value.length;
      this._total += Math.max(0, length - Math.max(size, length - part.value.length));
      this._report({ loaded: this._loaded, total: this._total });
    }
    const content = new Uint8Array(length);
    let start = 0;
    for (const part of parts) {
      content.set(part, start);
      start += part.length;
    }
    return content;
  }
}

/**
 * @param {string} name
 * @param {string} url
 * @param {string} answer
 */
function missing(name, url, answer) {
  return new ModelNotFoundError(
    `The file ${name} must be on the server. Looked for it at ${url} and received: ${answer}. ` +
      (globalThis.navigator?.onLine === false
        ? "Connect to the internet once to load it."
        : "Check the URL of the model, or copy all files of the package's folder dist, or set " +
          "`files` to the URL of their folder."),
  );
}
