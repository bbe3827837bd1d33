/** Tables of results: the columns, rows and CSV text of the Python package. */

import { EDGES } from "../bounding_box.js";

/** @typedef {import("../types.js").FailedInput} FailedInput */
/** @typedef {import("../types.js").FaceResult} FaceResult */
/** @typedef {import("../types.js").ImageResult} ImageResult */

/** A cell that is null is empty. @typedef {Record<string, string | number | null>} Row */

const FACE_CELLS = /** @type {const} */ (["face", "track", "score", "emotion", "confidence"]);

const COLUMNS_BEFORE = [
  ...["source", "width", "height", "time_s", "frame", "face", "track"],
  ...[...EDGES, "score", "emotion", "confidence"],
];

/** Columns of numbers that are written with a decimal point, as in Python. */
const DECIMAL_COLUMNS = new Set(["time_s", ...EDGES, "score", "confidence"]);

/** Start of a text that a spreadsheet would take for a formula, or that was quoted for that. */
const FORMULA = /^'*[=+\-@\t\r\n]/;

/**
 * Columns of a table of results, in order.
 *
 * @param {readonly string[]} labels A label with the name of another column gets ``_probability``
 *   appended.
 * @returns {string[]}
 */
export function rowColumns(labels) {
  /** @type {string[]} */
  const names = [];
  for (const label of labels) {
    let name = label;
    while ([...COLUMNS_BEFORE, "error", ...names].includes(name)) name += "_probability";
    names.push(name);
  }
  return [...COLUMNS_BEFORE, ...names, "error"];
}

/**
 * Table rows of a result: one per face, or one with empty face cells.
 *
 * @param {ImageResult | FailedInput} result
 * @param {readonly string[]} labels Labels of every prediction, in order.
 * @returns {Row[]} Rows with the keys of `rowColumns`, in their order.
 */
export function toRows(result, labels) {
  const columns = rowColumns(labels);
  const { faces, ...image } = result;
  const empty = Object.fromEntries(columns.map((name) => [name, null]));
  if (!faces.length) return [{ ...empty, ...image }];
  const labelColumns = columns.slice(COLUMNS_BEFORE.length, -1);
  return faces.map((face) => ({
    ...empty,
    ...image,
    ...Object.fromEntries(FACE_CELLS.map((name) => [name, face[name] ?? null])),
    ...face.box,
    ...Object.fromEntries(labelColumns.map((name, i) => [name, face.probabilities[labels[i]]])),
  }));
}

/**
 * Write results as CSV with a header line.
 *
 * Texts that a spreadsheet would take for formulas are written with an apostrophe before them.
 *
 * @param {Iterable<ImageResult | FailedInput>} results
 * @param {readonly string[]} labels Labels of every prediction, in order.
 * @returns {string}
 *
 * Source: https://owasp.org/www-community/attacks/CSV_Injection.
 */
export function toCSV(results, labels) {
  const columns = rowColumns(labels);
  const decimal = new Set([...DECIMAL_COLUMNS, ...columns.slice(COLUMNS_BEFORE.length, -1)]);
  const lines = [columns.map(quoted)];
  for (const result of results) {
    for (const row of toRows(result, labels)) {
      lines.push(columns.map((name) => cellText(row[name], decimal.has(name))));
    }
  }
  return lines.map((cells) => `${cells.join(",")}\n`).join("");
}

/**
 * @param {string | number | null} value
 * @param {boolean} isDecimal
 */
function cellText(value, isDecimal) {
  if (value === null) return "";
  if (typeof value === "string") return quoted(value);
  return isDecimal && Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/** @param {string} text */
function quoted(text) {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
