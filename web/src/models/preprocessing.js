/** Preprocess face crops into the input tensor of a model. */

import { toGray } from "../media/pixels.js";

/** @typedef {import("../media/pixels.js").Pixels} Pixels */
/** @typedef {import("./card.js").InputSpec} InputSpec */

/**
 * Convert face crops to the input tensor of a model: gray or RGB, ``(pixel * scale - mean) / std``.
 *
 * @param {readonly Pixels[]} crops RGB crops of the size of the input.
 * @param {InputSpec} spec Input of the model, from its card.
 * @returns {Float32Array} n × height × width × channels values.
 */
export function toTensor(crops, spec) {
  const size = spec.height * spec.width * spec.channels;
  const tensor = new Float32Array(crops.length * size);
  // In single precision: one multiplication and one subtraction, as natively.
  const factor = Math.fround(spec.scale / spec.std);
  const offset = Math.fround(spec.mean / spec.std);
  crops.forEach((crop, n) => {
    const values = spec.channels === 1 ? toGray(crop) : crop.data;
    for (let i = 0; i < size; i++) tensor[n * size + i] = Math.fround(values[i] * factor) - offset;
  });
  return tensor;
}

/**
 * Mirror each crop of an input tensor, left to right.
 *
 * @param {Float32Array} tensor From `toTensor`.
 * @param {InputSpec} spec Input of the model, from its card.
 * @returns {Float32Array} A copy.
 */
export function mirror(tensor, { width, channels }) {
  const mirrored = new Float32Array(tensor.length);
  for (let row = 0; row < tensor.length; row += width * channels) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        const from = row + (width - 1 - x) * channels + c;
        mirrored[row + x * channels + c] = tensor[from];
      }
    }
  }
  return mirrored;
}
