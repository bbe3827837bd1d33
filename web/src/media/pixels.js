/** Pixels: decoded images, their crops and their gray values. */

import { InputError, describe } from "../errors.js";

/** @typedef {import("../bounding_box.js").Box} Box */

/**
 * A decoded image, or a rectangle of one: rows of red, green, blue, and an alpha that is ignored
 * where there is one.
 *
 * @typedef {object} Pixels
 * @property {Uint8Array} data 0–255.
 * @property {number} width
 * @property {number} height
 * @property {number} channels 3 (RGB) or 4 (RGBA, opaque).
 * @property {number} start Index in `data` of the first pixel.
 * @property {number} stride Values in `data` from one row to the next.
 */

/**
 * Make an image of values that fill it.
 *
 * @param {Uint8Array} data height × width × channels values.
 * @param {number} width
 * @param {number} height
 * @param {number} [channels]
 * @returns {Pixels}
 */
export function pixels(data, width, height, channels = 3) {
  return { data, width, height, channels, start: 0, stride: width * channels };
}

/**
 * Check an image in memory, such as an `ImageData`, and return it as opaque pixels.
 *
 * Transparency is composited on white.
 *
 * @param {{data: Uint8Array | Uint8ClampedArray, width: number, height: number}} image RGB or RGBA.
 * @returns {Pixels} In the memory of the image where it is opaque.
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
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length);
  return pixels(channels === 4 ? onWhite(bytes) : bytes, width, height, channels);
}

/**
 * Composite RGBA values on white.
 *
 * @param {Uint8Array} data
 * @returns {Uint8Array} The same array where all pixels are opaque.
 */
function onWhite(data) {
  let first = 3;
  while (first < data.length && data[first] === 255) first += 4;
  if (first >= data.length) return data;
  const opaque = data.slice();
  for (let i = first - 3; i < opaque.length; i += 4) {
    const alpha = opaque[i + 3] / 255;
    for (let c = i; c < i + 3; c++) opaque[c] = Math.round(opaque[c] * alpha + 255 * (1 - alpha));
    opaque[i + 3] = 255;
  }
  return opaque;
}

/**
 * Take a rectangle that lies inside an image, without a copy.
 *
 * @param {Pixels} image
 * @param {Box} rectangle Whole pixels.
 * @returns {Pixels}
 */
function view({ data, channels, start, stride }, { left, top, right, bottom }) {
  const first = start + top * stride + left * channels;
  return { data, width: right - left, height: bottom - top, channels, start: first, stride };
}

/**
 * Take a rectangle of an image; what lies beyond the image is black.
 *
 * @param {Pixels} image
 * @param {Box} rectangle Whole pixels.
 * @returns {Pixels} In the memory of the image where it lies inside, else an RGB copy.
 */
export function crop(image, rectangle) {
  const { left, top, right, bottom } = rectangle;
  const { data: source, channels } = image;
  if (left >= 0 && top >= 0 && right <= image.width && bottom <= image.height) {
    return view(image, rectangle);
  }
  const width = right - left;
  const data = new Uint8Array(width * (bottom - top) * 3);
  const firstX = Math.max(left, 0);
  const lastX = Math.min(right, image.width);
  for (let y = Math.max(top, 0); y < Math.min(bottom, image.height); y++) {
    let from = image.start + y * image.stride + firstX * channels;
    let to = ((y - top) * width + firstX - left) * 3;
    for (let x = firstX; x < lastX; x++, from += channels, to += 3) {
      data[to] = source[from];
      data[to + 1] = source[from + 1];
      data[to + 2] = source[from + 2];
    }
  }
  return pixels(data, width, bottom - top);
}

/**
 * Take a rectangle of an image; what lies beyond the image repeats its nearest pixel.
 *
 * @param {Pixels} image
 * @param {Box} rectangle Whole pixels; left and top are inside the image.
 * @returns {Pixels} In the memory of the image where it lies inside, else an RGB copy.
 */
export function cropReplicated(image, rectangle) {
  const taken = crop(image, rectangle);
  const { data, width, height } = taken;
  const columns = Math.min(width, image.width - rectangle.left);
  const rows = Math.min(height, image.height - rectangle.top);
  if (columns === width && rows === height) return taken;
  for (let y = 0; y < rows; y++) {
    const end = (y * width + columns) * 3;
    for (let i = end; i < (y + 1) * width * 3; i++) data[i] = data[i - 3];
  }
  for (let y = rows; y < height; y++) {
    data.copyWithin(y * width * 3, (rows - 1) * width * 3, rows * width * 3);
  }
  return taken;
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
    let from = image.start + y * image.stride;
    for (let x = 0; x < width; x++, to += 3, from += step * image.channels) {
      data[to] = image.data[from];
      data[to + 1] = image.data[from + 1];
      data[to + 2] = image.data[from + 2];
    }
  }
  return pixels(data, width, height);
}

/**
 * Convert to gray: the luma 0.299 R + 0.587 G + 0.114 B of ITU-R BT.601, in fixed point of 15 bits.
 *
 * @param {Pixels} image Not a rectangle of another one.
 * @returns {Uint8Array} height × width values.
 */
export function toGray({ data, width, height, channels }) {
  const gray = new Uint8Array(width * height);
  for (let i = 0, from = 0; i < gray.length; i++, from += channels) {
    gray[i] = (data[from] * 9798 + data[from + 1] * 19235 + data[from + 2] * 3735 + 16384) >> 15;
  }
  return gray;
}
