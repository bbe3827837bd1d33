/** `Smoother`: exponential smoothing of the probabilities of each track over time. */

import { InputError } from "../errors.js";

/** @typedef {import("../types.js").Prediction} Prediction */

/** Time constant of the smoothing in seconds: after it, a change is 63 % complete. As in Python. */
export const SMOOTHING_S = 0.3;

/** Smallest probability whose logarithm is taken. */
const MIN_PROBABILITY = 1e-7;

/**
 * Smooths the probabilities of each track over time, so that its label does not flicker.
 *
 * Logits move towards the new ones by 1 − exp(−Δt / time constant): an exponential average whose
 * effect does not depend on the frame rate.
 *
 * Source: Wright 1986, https://doi.org/10.1287/mnsc.32.4.499.
 */
export class Smoother {
  /**
   * @param {number} timeConstantS Seconds after which a change has come through to 63 %; 0 is off.
   * @throws {InputError} It is negative or not a finite number.
   */
  constructor(timeConstantS) {
    if (!(Number.isFinite(timeConstantS) && timeConstantS >= 0)) {
      throw new InputError(
        `\`smoothingS\` must be a time of 0 or more seconds. Received ${timeConstantS}. ` +
          "Type 0 for none.",
      );
    }
    this._timeConstantS = timeConstantS;
    /** @type {Map<number, {timeS: number, labels: readonly string[], logits: Float64Array}>} */
    this._states = new Map();
  }

  /**
   * Smooth the prediction of one face.
   *
   * @param {Prediction} prediction
   * @param {number | null} track
   * @param {number} timeS
   * @returns {Prediction} Unchanged where the face has no track number.
   */
  smooth(prediction, track, timeS) {
    if (this._timeConstantS === 0 || track === null) return prediction;
    const { labels, probabilities } = prediction;
    // Logits up to a constant, which cancels in the normalization below.
    let logits = Float64Array.from(probabilities, (p) => Math.log(Math.max(p, MIN_PROBABILITY)));
    const last = this._states.get(track);
    // Other labels than before: what was smoothed does not fit them.
    if (last && last.labels === labels) {
      const gain = 1 - Math.exp(-Math.max(0, timeS - last.timeS) / this._timeConstantS);
      logits = last.logits.map((before, i) => before + gain * (logits[i] - before));
    }
    this._states.set(track, { timeS, labels, logits });
    const largest = Math.max(...logits);
    const powers = logits.map((logit, i) => (probabilities[i] > 0 ? Math.exp(logit - largest) : 0));
    const sum = powers.reduce((total, power) => total + power, 0);
    return { ...prediction, probabilities: Float32Array.from(powers, (power) => power / sum) };
  }

  /**
   * Forget the tracks that were last seen before a time.
   *
   * @param {number} beforeS
   */
  forget(beforeS) {
    for (const [track, { timeS }] of this._states) if (timeS < beforeS) this._states.delete(track);
  }
}
