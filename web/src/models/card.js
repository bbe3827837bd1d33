/** The model card: a JSON file, ``card.json``, beside the weights that it describes. */

import { ModelError, describe } from "../errors.js";
import { canonical } from "../labels.js";

/**
 * Input of a model: size, channels and scaling, applied to face crops by `toTensor`.
 *
 * @typedef {object} InputSpec
 * @property {number} height Rows of the crop in pixels.
 * @property {number} width Columns of the crop in pixels.
 * @property {number} channels 1 (gray) or 3 (RGB).
 * @property {number} frames Crops per sample: 1 for stills, more for clips.
 * @property {number} scale Factor that pixel values, 0–255, are multiplied by first.
 * @property {number} mean Subtracted after scaling.
 * @property {number} std Divided by after subtracting.
 * @property {number} margin Margin around the FER2013 framing of a face, as a fraction of its side.
 */

/**
 * Description of a model; the other fields of the file are texts and figures for the reader.
 *
 * @typedef {object} ModelCard
 * @property {number} format Version of the layout of the card.
 * @property {string} name
 * @property {string} version
 * @property {string[]} labels Names of the outputs, in order.
 * @property {InputSpec} input
 * @property {string} output Always "logits".
 * @property {number} temperature Logits are divided by this before softmax.
 * @property {Record<string, string>} files SHA-256 of the files of the model.
 * @property {{label_prior?: Record<string, number>}} training
 */

const CARD_FORMAT = 2;
const MAX_SIDE = 4096;
const MAX_FRAMES = 1024;

/** @type {Record<string, [number, number]>} */
const WHOLE_NUMBERS = { height: [8, MAX_SIDE], width: [8, MAX_SIDE], frames: [1, MAX_FRAMES] };

/** @type {Record<string, [number, number]>} */
const NUMBERS = { scale: [1e-6, 1e6], std: [1e-6, 1e6], mean: [-1e6, 1e6], margin: [-0.4, 4] };

/**
 * Parse and check a model card.
 *
 * @param {string} text Content of ``card.json``.
 * @param {string} source Where it came from, for error messages.
 * @returns {ModelCard}
 * @throws {ModelError} Not JSON, another format, missing fields or bad values.
 */
export function cardFromJSON(text, source) {
  /** @type {any} */
  let card;
  try {
    card = JSON.parse(text);
  } catch (error) {
    throw new ModelError(`${source} must be JSON. Received text that is not: ${error}.`);
  }
  if (card?.format !== CARD_FORMAT) {
    throw new ModelError(
      `${source} must have "format": ${CARD_FORMAT}. Received ${describe(card?.format)}. ` +
        "Export the model again with this version of EmoPy.",
    );
  }
  const rule = brokenRule(card) ?? brokenInput(card.input);
  if (rule) throw new ModelError(`${source}: ${rule}`);
  return card;
}

/**
 * What is wrong with a card; null if nothing is.
 *
 * @param {any} card
 * @returns {string | null}
 */
function brokenRule({ name, labels, output, temperature, files, training }) {
  if (typeof name !== "string" || !name.trim()) {
    return `\`name\` must be a name. Received ${describe(name)}.`;
  }
  const isList = Array.isArray(labels) && labels.every((label) => typeof label === "string");
  // Aliases count as one: of outputs "happy" and "joy" neither could be asked for.
  if (!isList || labels.length < 2 || new Set(labels.map(canonical)).size < labels.length) {
    return `\`labels\` must hold two or more different names. Received ${JSON.stringify(labels)}.`;
  }
  if (output !== "logits") return `\`output\` must be 'logits'. Received ${describe(output)}.`;
  if (!isNumber(temperature, 0.01, 100)) {
    return `\`temperature\` must be a number of 0.01 to 100. Received ${describe(temperature)}.`;
  }
  if (typeof files !== "object" || files === null) {
    return `\`files\` must be a mapping. Received ${describe(files)}.`;
  }
  const prior = training?.label_prior ?? {};
  if (typeof prior !== "object" || !Object.values(prior).every((value) => isNumber(value, 0, 1))) {
    return (
      "`training.label_prior` must be a mapping, each value a probability of 0 to 1. " +
      `Received ${JSON.stringify(prior)}.`
    );
  }
  return null;
}

/**
 * @param {any} input
 * @returns {string | null}
 */
function brokenInput(input) {
  if (typeof input !== "object" || input === null) {
    return `\`input\` must be a mapping. Received ${describe(input)}.`;
  }
  for (const [name, [least, most]] of Object.entries(WHOLE_NUMBERS)) {
    if (!Number.isInteger(input[name]) || !isNumber(input[name], least, most)) {
      return `\`${name}\` must be a whole number of ${least} to ${most}. Received ${describe(input[name])}.`;
    }
  }
  for (const [name, [least, most]] of Object.entries(NUMBERS)) {
    if (!isNumber(input[name], least, most)) {
      return `\`${name}\` must be a number of ${least} to ${most}. Received ${describe(input[name])}.`;
    }
  }
  if (input.channels !== 1 && input.channels !== 3) {
    return `\`channels\` must be 1 or 3. Received ${describe(input.channels)}.`;
  }
  return null;
}

/**
 * @param {unknown} value
 * @param {number} least
 * @param {number} most
 */
function isNumber(value, least, most) {
  return typeof value === "number" && value >= least && value <= most;
}
