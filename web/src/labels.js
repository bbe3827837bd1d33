/** Names of facial expressions: the eight emotions, their aliases, and subsets of them. */

import { LabelError, describe, nearest } from "./errors.js";

/** All eight emotions of FER+, in the order of every bundled model's outputs. */
export const ALL_EMOTIONS = Object.freeze([
  "anger",
  "contempt",
  "disgust",
  "fear",
  "happiness",
  "neutral",
  "sadness",
  "surprise",
]);

/** The field's usual seven: all but contempt. */
export const STANDARD_EMOTIONS = Object.freeze(ALL_EMOTIONS.filter((name) => name !== "contempt"));

/** Other words that people use, and the emotion each stands for. @type {Map<string, string>} */
export const ALIASES = new Map([
  ["angry", "anger"],
  ["calm", "neutral"],
  ["contemptuous", "contempt"],
  ["disgusted", "disgust"],
  ["fearful", "fear"],
  ["afraid", "fear"],
  ["scared", "fear"],
  ["happy", "happiness"],
  ["joy", "happiness"],
  ["neutrality", "neutral"],
  ["sad", "sadness"],
  ["surprised", "surprise"],
]);

/**
 * The labels that a user asked for, and where they are among the labels available.
 *
 * @typedef {object} LabelSelection
 * @property {string[]} labels As the user typed them: what results show.
 * @property {string[]} known The same labels as they are spelled among the available ones.
 * @property {number[]} columns Their positions among the available ones.
 */

/**
 * Give the standard spelling of a label: composed (NFC), lower case, aliases replaced.
 *
 * @param {string} label
 */
export function canonical(label) {
  const word = String(label).normalize("NFC").trim().toLowerCase();
  return ALIASES.get(word) ?? word;
}

/**
 * Find the labels that a user asked for among those of a model.
 *
 * @param {string | Iterable<string>} emotions Two or more labels or aliases; "all" for every
 *   available label; "standard" for the seven standard emotions (every label, where they are not
 *   all available).
 * @param {readonly string[]} available Labels of the model.
 * @returns {LabelSelection} In the user's order.
 * @throws {LabelError} Unknown, repeated or fewer than two labels.
 */
export function selectLabels(emotions, available) {
  if (typeof emotions === "string") return namedSubset(emotions, available);
  if (typeof emotions?.[Symbol.iterator] !== "function")
    throw notAList(describe(emotions), available);
  const columns = new Map(available.map((label, column) => [canonical(label), column]));
  const aliases = [...ALIASES.keys()].filter((alias) => columns.has(canonical(alias)));
  /** @type {Map<number, string>} */
  const chosen = new Map();
  for (const label of emotions) {
    const typed = String(label).normalize("NFC").trim();
    const name = canonical(label);
    const column = columns.get(name);
    if (column === undefined) {
      throw new LabelError(
        `\`emotions\` must be labels that the model knows. Received '${typed}'. ` +
          nearest(name, [...columns.keys(), ...aliases]),
      );
    }
    const before = chosen.get(column);
    if (before !== undefined) {
      throw new LabelError(
        `\`emotions\` must name each emotion once. Received '${name}' twice, as ` +
          `'${before}' and '${typed}'. Leave one out.`,
      );
    }
    chosen.set(column, typed);
  }
  if (chosen.size < 2) {
    const received = [...chosen.values()].join(", ") || "none";
    throw new LabelError(
      `\`emotions\` must hold two or more labels. Received ${received}. ${example(available)}`,
    );
  }
  const known = [...chosen.keys()].map((column) => available[column]);
  return { labels: [...chosen.values()], known, columns: [...chosen.keys()] };
}

/**
 * @param {string} name
 * @param {readonly string[]} available
 * @returns {LabelSelection}
 */
function namedSubset(name, available) {
  const word = name.trim().toLowerCase();
  if (word !== "all" && word !== "standard") throw notAList(`'${name}'`, available);
  let labels = [...available];
  if (word === "standard" && STANDARD_EMOTIONS.every((label) => available.includes(label))) {
    labels = labels.filter((label) => STANDARD_EMOTIONS.includes(label));
  }
  return { labels, known: labels, columns: labels.map((label) => available.indexOf(label)) };
}

/**
 * @param {string} received
 * @param {readonly string[]} available
 */
function notAList(received, available) {
  return new LabelError(
    `\`emotions\` must be a list of labels, 'standard' or 'all'. Received ${received}. ` +
      example(available),
  );
}

/** @param {readonly string[]} available */
function example(available) {
  return `Type for example: emotions: ${JSON.stringify(available.slice(0, 2))}`;
}
