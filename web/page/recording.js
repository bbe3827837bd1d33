import { toCSV } from "../src/index.js";

/** @typedef {import("../src/index.js").ImageResult} ImageResult */

/** Results that are kept in memory before they become a Blob, which the browser may keep elsewhere. */
const CHUNK = 64;

/** The results of an image, a video or a camera, until they are saved. */
export class Recording {
  /** Number of images or frames. */
  count = 0;
  /** JSON Lines. @type {Blob[]} */
  #chunks = [];
  /** @type {string[]} */
  #lines = [];

  /** @param {readonly string[]} labels Labels of every prediction, in order. */
  constructor(labels) {
    this.labels = labels;
  }

  /** @param {ImageResult} result */
  add(result) {
    this.count += 1;
    this.#lines.push(JSON.stringify(result));
    if (this.#lines.length < CHUNK) return;
    this.#chunks.push(new Blob([this.#lines.join("\n")]));
    this.#lines = [];
  }

  /** All results as a CSV file with the columns of every table of EmoPy. @returns {Promise<Blob>} */
  async csv() {
    const header = toCSV([], this.labels);
    const parts = await this.#convert((lines) => {
      const results = lines.map((line) => JSON.parse(line));
      return toCSV(results, this.labels).slice(header.length);
    });
    return new Blob([header, ...parts], { type: "text/csv;charset=utf-8" });
  }

  /** All results as a JSON array with an object per image or frame. @returns {Promise<Blob>} */
  async json() {
    const parts = await this.#convert((lines) => lines.map((line) => `  ${line}`).join(",\n"));
    const separated = parts.flatMap((part, index) => (index ? [",\n", part] : [part]));
    return new Blob(["[\n", ...separated, "\n]\n"], { type: "application/json" });
  }

  /**
   * A Blob for each chunk, so that a long recording is never in memory as a whole.
   * @param {(lines: string[]) => string} toText
   */
  async #convert(toText) {
    const rest = this.#lines.length ? [new Blob([this.#lines.join("\n")])] : [];
    const converted = [];
    for (const chunk of [...this.#chunks, ...rest]) {
      converted.push(new Blob([toText((await chunk.text()).split("\n"))]));
    }
    return converted;
  }
}

/**
 * Save a file on this device.
 * @param {Blob} content @param {string} name
 */
export function saveFile(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The name of a saved file, from that of its source. @param {string} source @param {string} ending */
export function fileName(source, ending) {
  const stem = source.replace(/\.[^.]*$/, "").replace(/[^\p{L}\p{N}._-]+/gu, "-") || "faces";
  return `${stem}${ending}`;
}
