/** Pixels: decoded images, their crops and their gray values. */

import { InputError, describe } from "../errors.js";

/**
 * A decoded image: rows of red, green, blue, and an alpha that is ignored where there is one.
 *
 * @typedef {object} Pixels
 * @property {Uint8Array | Uint8ClampedArray} data 0–255, height × width × channels values.
 * @property {number} width
 * @property {number} height
 * @property {number} channels 3 (RGB) or 4 (RGBA, opaque).
 */

/**
 * Check an image in memory, such as an `ImageData`, and return it as opaque pixels.
 *
 * Transparency is composited on white.
 *
 * @param {{data: Uint8Array | Uint8ClampedArray, width: number, height: number}} image RGB or RGBA.
 * @returns {Pixels} The data of the image itself where it is opaque.
 * @throws {InputError} Not 8 bits, or not as many values as its size needs.
 */
export function toPixels(image) {
  const { data, width, height } = image;
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray)) {
    throw new InputError(
      "`image` must have 8 bits per channel, as a Uint8Array or Uint8ClampedArray. " +
        `Received ${describe(data)}.`,
    );
  }
  const channels = data.length / (width * height);
  if (!(width >= 1 && height >= 1 && (channels === 3 || channels === 4))) {
    throw new InputError(
      "`image` must be {data, width, height} with 3 (RGB) or 4 (RGBA) values per pixel. " +
        `Received ${width} × ${height} with ${data.length} values.`,
    );
  }
  return channels === 4
    ? onWhite({ data, width, height, channels })
    : { data, width, height, channels };
}

/**
 * Composite RGBA pixels on white.
 *
 * @param {Pixels} image
 * @returns {Pixels} The same pixels where all of them are opaque.
 */
function onWhite(image) {
  const { data, width, height } = image;
  let first = 3;
  while (first < data.length && data[first] === 255) first += 4;
  if (first >= data.length) return image;
  const opaque = new Uint8Array(data);
  for (let i = first - 3; i < opaque.length; i += 4) {
    const alpha = opaque[i + 3] / 255;
    for (let c = i; c < i + 3; c++) opaque[c] = Math.round(opaque[c] * alpha + 255 * (1 - alpha));
    opaque[i + 3] = 255;
  }
  return { data: opaque, width, height, channels: 4 };
}

/**
 * Copy a rectangle of an image; what lies beyond the image is black.
 *
 * @param {Pixels} image
 * @param {number} left Whole pixels, as all edges; right and bottom are excluded.
 * @param {number} top
 * @param {number} right
 * @param {number} bottom
 * @returns {Pixels} RGB.
 */
export function crop(image, left, top, right, bottom) {
  const width = right - left;
  const height = bottom - top;
  const { data: source, channels } = image;
  const data = new Uint8Array(width * height * 3);
  const firstX = Math.max(left, 0);
  const lastX = Math.min(right, image.width);
  for (let y = Math.max(top, 0); y < Math.min(bottom, image.height); y++) {
    let from = (y * image.width + firstX) * channels;
    let to = ((y - top) * width + firstX - left) * 3;
    for (let x = firstX; x < lastX; x++, from += channels, to += 3) {
      data[to] = source[from];
      data[to + 1] = source[from + 1];
      data[to + 2] = source[from + 2];
    }
  }
  return { data, width, height, channels: 3 };
}

/**
 * Copy a rectangle of an image; what lies beyond the image repeats its nearest pixel.
 *
 * @param {Pixels} image
 * @param {number} left Whole pixels inside the image; `right` and `bottom` may be beyond it.
 * @param {number} top
 * @param {number} right
 * @param {number} bottom
 * @returns {Pixels} RGB.
 */
export function cropReplicated(image, left, top, right, bottom) {
  const copied = crop(image, left, top, right, bottom);
  const { data, width, height } = copied;
  const columns = Math.min(width, image.width - left);
  const rows = Math.min(height, image.height - top);
  for (let y = 0; y < rows; y++) {
    const end = (y * width + columns) * 3;
    for (let i = end; i < (y + 1) * width * 3; i++) data[i] = data[i - 3];
  }
  for (let y = rows; y < height; y++) {
    data.copyWithin(y * width * 3, (rows - 1) * width * 3, rows * width * 3);
  }
  return copied;
}

/**
 * Take every n-th pixel of every n-th row.
 *
 * @param {Pixels} image
 * @param {number} step
 * @returns {Pixels} RGB, or the image itself for step 1.
 */
export function subsample(image, step) {
  if (step === 1) return image;
  const width = Math.ceil(image.width / step);
  const height = Math.ceil(image.height / step);
  const data = new Uint8Array(width * height * 3);
  let to = 0;
  for (let y = 0; y < image.height; y += step) {
    for (let x = 0; x < image.width; x += step, to += 3) {
      const from = (y * image.width + x) * image.channels;
      data[to] = image.data[from];
      data[to + 1] = image.data[from + 1];
      data[to + 2] = image.data[from + 2];
    }
  }
  return { data, width, height, channels: 3 };
}

/**
 * Convert to gray: the luma 0.299 R + 0.587 G + 0.114 B of ITU-R BT.601, in fixed point of 15 bits.
 *
 * @param {Pixels} image
 * @returns {Uint8Array} height × width values.
 */
export function toGray({ data, width, height, channels }) {
  const gray = new Uint8Array(width * height);
  for (let i = 0, from = 0; i < gray.length; i++, from += channels) {
    gray[i] = (data[from] * 9798 + data[from + 1] * 19235 + data[from + 2] * 3735 + 16384) >> 15;
  }
  return gray;
}
