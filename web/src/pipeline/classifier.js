/** `Classifier`: from face crops to a probability for each label asked for. */

import { InputError, ModelError } from "../errors.js";
import { selectLabels } from "../labels.js";
import { mirror, toTensor } from "../models/preprocessing.js";
import { priorShift } from "../models/prior.js";

/** @typedef {import("../media/pixels.js").Pixels} Pixels */
/** @typedef {import("../models/prior.js").Prior} Prior */
/** @typedef {import("../models/store.js").LoadedModel} LoadedModel */
/** @typedef {import("../types.js").Prediction} Prediction */

/**
 * What a prediction is asked for; the same as the arguments of `FERModel` in Python.
 *
 * @typedef {object} ClassifierSettings
 * @property {string | Iterable<string>} [emotions] Two or more labels or aliases ("calm" for
 *   "neutral"), which results have as typed; "standard" for the seven standard emotions; "all".
 * @property {Prior} [prior] Expected frequency of each emotion.
 * @property {number} [minConfidence] Confidence, 0–1, below which the emotion is null ("not sure").
 * @property {number} [views] 1, or 2 to predict each face and its mirror image, and to answer with
 *   their mean: more accurate, and twice the time of the network.
 */

/** Prior for images from unknown sources, as in Python. */
export const DEFAULT_PRIOR = "tempered";

/** Predicts face crops with a model, for a selection of its labels. */
export class Classifier {
  /**
   * @param {LoadedModel} model
   * @param {ClassifierSettings} [settings]
   * @throws {LabelError} Unknown, repeated or fewer than two labels.
   * @throws {InputError} A bad prior, or `minConfidence` out of range, or bad `views`.
   */
  constructor(
    model,
    { emotions = "standard", prior = DEFAULT_PRIOR, minConfidence = 0, views = 1 } = {},
  ) {
    const { card } = model;
    const selection = selectLabels(emotions, card.labels);
    if (!(minConfidence >= 0 && minConfidence <= 1)) {
      throw new InputError(`\`minConfidence\` must be 0 to 1. Received ${minConfidence}.`);
    }
    if (views !== 1 && views !== 2) {
      throw new InputError(`\`views\` must be 1 or 2. Received ${views}.`);
    }
    this._model = model;
    this._views = views;
    this._columns = selection.columns;
    this._shift = priorShift(card, selection.known, prior);
    this._minConfidence = minConfidence;
    /** The labels as they were asked for, in the same order. */
    this.labels = selection.labels;
  }

  /**
   * Predict face crops.
   *
   * @param {readonly Pixels[]} crops RGB crops of the size of the model's input.
   * @returns {Promise<Prediction[]>} One per crop.
   */
  async predict(crops) {
    if (!crops.length) return [];
    const { card, session } = this._model;
    const { height, width, channels } = card.input;
    const dims = [crops.length, height, width, channels];
    const tensor = toTensor(crops, card.input);
    const [logits] = await session.run(tensor, dims);
    if (this._views === 2) {
      const [mirrored] = await session.run(mirror(tensor, card.input), dims);
      logits.data.forEach((_, i) => {
        logits.data[i] = (logits.data[i] + mirrored.data[i]) / 2;
      });
    }
    const outputs = card.labels.length;
    if (logits.data.length !== crops.length * outputs || !logits.data.every(Number.isFinite)) {
      throw new ModelError(
        `The model ${card.name} must give ${outputs} finite logits per face. Received others. ` +
          "Export the model again.",
      );
    }
    return crops.map((_, n) => {
      const scores = this._columns.map(
        (column, i) => logits.data[n * outputs + column] / card.temperature + this._shift[i],
      );
      return {
        labels: this.labels,
        probabilities: softmax(scores),
        minConfidence: this._minConfidence,
      };
    });
  }
}

/**
 * Probabilities from logits.
 *
 * @param {readonly number[]} logits
 * @returns {Float32Array} Sum 1.
 */
export function softmax(logits) {
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return Float32Array.from(powers, (power) => power / sum);
}
