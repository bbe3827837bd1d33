/**
 * Warp images with the arithmetic of OpenCV's ``warpAffine``: coordinates in single precision.
 *
 * Source: OpenCV 5, modules/imgproc/src/warp_kernels.simd.hpp.
 */

import { pixels } from "./pixels.js";
import { roundHalfEven } from "./rounding.js";

/** @typedef {import("./pixels.js").Pixels} Pixels */

/**
 * A transform (x, y) → (a x + b y + c, d x + e y + f), as [a, b, c, d, e, f].
 *
 * @typedef {[number, number, number, number, number, number]} Matrix
 */

/**
 * Invert a transform.
 *
 * @param {Matrix} matrix
 * @returns {Matrix}
 */
export function invert([a, b, c, d, e, f]) {
  const factor = 1 / (a * e - b * d);
  const [p, q, r, s] = [e * factor, -b * factor, -d * factor, a * factor];
  return [p, q, -p * c - q * f, r, s, -r * c - s * f];
}

/**
 * Warp an image with bilinear interpolation; what lies beyond it repeats its nearest pixel.
 *
 * @param {Pixels} image
 * @param {Matrix} matrix From pixels of the image to pixels of the result; (0, 0) is the center of
 *   the first pixel in both.
 * @param {number} width Of the result.
 * @param {number} height
 * @returns {Pixels} RGB.
 */
export function warpAffine(image, matrix, width, height) {
  const [a, b, c, d, e, f] = invert(matrix).map(Math.fround);
  const { data: source, channels } = image;
  const data = new Uint8Array(width * height * 3);
  const lastX = image.width - 1;
  const lastY = image.height - 1;
  for (let y = 0, to = 0; y < height; y++) {
    const startX = Math.fround(Math.fround(b * y) + c);
    const startY = Math.fround(Math.fround(e * y) + f);
    for (let x = 0; x < width; x++, to += 3) {
      const fromX = Math.fround(a * x + startX);
      const fromY = Math.fround(d * x + startY);
      const floorX = Math.floor(fromX);
      const floorY = Math.floor(fromY);
      const right = fromX - floorX;
      const down = fromY - floorY;
      const x0 = Math.min(Math.max(floorX, 0), lastX) * channels;
      const x1 = Math.min(Math.max(floorX + 1, 0), lastX) * channels;
      const y0 = image.start + Math.min(Math.max(floorY, 0), lastY) * image.stride;
      const y1 = image.start + Math.min(Math.max(floorY + 1, 0), lastY) * image.stride;
      for (let i = 0; i < 3; i++) {
        const upper = source[y0 + x0 + i] + right * (source[y0 + x1 + i] - source[y0 + x0 + i]);
        const lower = source[y1 + x0 + i] + right * (source[y1 + x1 + i] - source[y1 + x0 + i]);
        data[to + i] = roundHalfEven(upper + down * (lower - upper));
      }
    }
  }
  return pixels(data, width, height);
}
