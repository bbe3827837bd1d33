/** Adjust calibrated probabilities to another prior of the emotions, by Bayes' rule. */

import { InputError, ModelError, describe, nearest } from "../errors.js";
import { ALL_EMOTIONS, canonical } from "../labels.js";

/** @typedef {import("./card.js").ModelCard} ModelCard */

/**
 * "training", "tempered", "uniform", or a probability for each target emotion.
 *
 * @typedef {string | Readonly<Record<string, number>>} Prior
 */

const KNOWN_PRIORS = ["training", "tempered", "uniform"];

/** Weight of the uniform prior in "tempered": the training prior to the power 2/3. */
const TEMPER = 1 / 3;

/**
 * Shift of calibrated logits that replaces the training prior by another prior.
 *
 * @param {ModelCard} card Its training prior is ``training.label_prior``.
 * @param {readonly string[]} labels The k target labels, spelled as on the card.
 * @param {Prior} prior "training": unchanged; "uniform": all labels equally probable; "tempered": the
 *   training prior to the power 2/3 ("training" where the card has no label prior); or the
 *   probability of each label, on any positive scale, 0 for a label that never occurs.
 * @returns {Float64Array} k values to be added to logits / temperature.
 * @throws {InputError} An unknown prior or label, a missing label, or values that are not
 *   probabilities.
 * @throws {ModelError} The card has no label prior.
 *
 * Source: Saerens, Latinne and Decaestecker 2002, https://doi.org/10.1162/089976602753284446,
 * equation 2.4.
 */
export function priorShift(card, labels, prior) {
  const isMapping = typeof prior === "object" && prior !== null;
  if (!isMapping && !KNOWN_PRIORS.includes(prior)) {
    const hint = typeof prior === "string" ? nearest(prior, KNOWN_PRIORS) : "";
    throw new InputError(
      `\`prior\` must be ${KNOWN_PRIORS.map((name) => `'${name}'`).join(", ")} or a probability ` +
        `for each emotion. Received ${describe(prior)}. ${hint}`.trimEnd(),
    );
  }
  if (prior === "training" || (prior === "tempered" && missingLabels(card, labels).length)) {
    return new Float64Array(labels.length);
  }
  if (prior === "tempered")
    return labelPrior(card, labels).map((value) => -TEMPER * Math.log(value));
  const known = new Set([...card.labels, ...ALL_EMOTIONS]);
  const weights = isMapping
    ? givenWeights(prior, labels, known)
    : new Float64Array(labels.length).fill(1);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const old = labelPrior(card, labels);
  return weights.map((weight, i) => Math.log(weight / sum) - Math.log(old[i]));
}

/**
 * @param {Readonly<Record<string, number>>} prior
 * @param {readonly string[]} labels
 * @param {ReadonlySet<string>} known
 * @returns {Float64Array}
 */
function givenWeights(prior, labels, known) {
  const spellings = new Set([...known].map(canonical));
  const unknown = Object.keys(prior).find((label) => !spellings.has(canonical(label)));
  if (unknown !== undefined) {
    throw new InputError(
      `\`prior\` must name known emotions. Received '${unknown}'. ${nearest(unknown, known)}`,
    );
  }
  const given = new Map(Object.entries(prior).map(([label, weight]) => [canonical(label), weight]));
  const missing = labels.filter((label) => !given.has(canonical(label)));
  if (missing.length) {
    throw new InputError(
      "`prior` must have a probability for each target emotion. Received none for " +
        `${missing.join(", ")}. Set it to 0 for an emotion that never occurs.`,
    );
  }
  const weights = labels.map((label) => given.get(canonical(label)) ?? NaN);
  const areValid = weights.every((weight) => Number.isFinite(weight) && weight >= 0);
  if (!areValid || weights.every((weight) => weight === 0)) {
    throw new InputError(
      "`prior` must have probabilities of 0 or more, not all 0. " +
        `Received ${JSON.stringify(prior)}. ` +
        "Type for example: prior: {neutral: 0.5, happiness: 0.4, anger: 0.1}",
    );
  }
  return Float64Array.from(weights);
}

/**
 * @param {ModelCard} card
 * @param {readonly string[]} labels
 * @returns {Float64Array}
 */
function labelPrior(card, labels) {
  const missing = missingLabels(card, labels);
  if (missing.length) {
    throw new ModelError(
      `\`prior\` must be 'training' for the model ${card.name}. Received another prior, but the ` +
        `card has no label prior for ${missing.join(", ")}.`,
    );
  }
  return Float64Array.from(labels, (label) => card.training.label_prior?.[label] ?? NaN);
}

/**
 * @param {ModelCard} card
 * @param {readonly string[]} labels
 */
function missingLabels(card, labels) {
  return labels.filter((label) => !((card.training?.label_prior?.[label] ?? 0) > 0));
}
