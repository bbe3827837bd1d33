/**
 * Average areas of images with the arithmetic of OpenCV's ``INTER_AREA``, in single precision.
 *
 * Source: OpenCV 5, modules/imgproc/src/resize.cpp.
 */

import { pixels } from "./pixels.js";
import { roundHalfEven } from "./rounding.js";

/** @typedef {import("./pixels.js").Pixels} Pixels */

/** Distance from a half below which an average is computed again as OpenCV does. */
const NEAR_HALF = 2e-3;

/**
 * For each target pixel of one axis: the source pixels that lie wholly inside it, and the two that it
 * covers in part.
 *
 * @typedef {object} AreaAxis
 * @property {Int32Array} first First source pixel wholly inside.
 * @property {Int32Array} count Source pixels wholly inside.
 * @property {Float32Array} weight Weight of each of them.
 * @property {Float32Array} before Weight of the source pixel before them; 0 where there is none.
 * @property {Float32Array} after Weight of the source pixel after them; 0 where there is none.
 */

/**
 * Average whole blocks of pixels.
 *
 * @param {Pixels} image
 * @param {number} width A divisor of the image's width, as `height` of its height.
 * @param {number} height
 * @returns {Pixels}
 */
export function averageBlocks(image, width, height) {
  const { data: source, channels } = image;
  const across = image.width / width;
  const down = image.height / height;
  const data = new Uint8Array(width * height * 3);
  const factor = Math.fround(1 / (across * down));
  const isTwoByTwo = across === 2 && down === 2;
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let row = y * down; row < (y + 1) * down; row++) {
        let from = image.start + row * image.stride + x * across * channels;
        for (let i = 0; i < across; i++, from += channels) {
          red += source[from];
          green += source[from + 1];
          blue += source[from + 2];
        }
      }
      data[to] = isTwoByTwo ? (red + 2) >> 2 : roundHalfEven(Math.fround(red * factor));
      data[to + 1] = isTwoByTwo ? (green + 2) >> 2 : roundHalfEven(Math.fround(green * factor));
      data[to + 2] = isTwoByTwo ? (blue + 2) >> 2 : roundHalfEven(Math.fround(blue * factor));
    }
  }
  return pixels(data, width, height);
}

/**
 * @param {number} from Source pixels of the axis.
 * @param {number} to Target pixels, not more.
 * @returns {AreaAxis}
 */
function areaAxis(from, to) {
  const scale = from / to;
  const [first, count] = [new Int32Array(to), new Int32Array(to)];
  const [weight, before, after] = [0, 1, 2].map(() => new Float32Array(to));
  for (let i = 0; i < to; i++) {
    const start = i * scale;
    const end = start + scale;
    const cell = Math.min(scale, from - start);
    const last = Math.min(Math.floor(end), from - 1);
    first[i] = Math.min(Math.ceil(start), last);
    count[i] = last - first[i];
    weight[i] = 1 / cell;
    if (first[i] - start > 1e-3) before[i] = (first[i] - start) / cell;
    if (end - last > 1e-3) after[i] = Math.min(end - last, 1, cell) / cell;
  }
  return { first, count, weight, before, after };
}

/**
 * Average areas whose edges lie inside pixels.
 *
 * The sums of whole pixels are exact, those of OpenCV are not: an average near a half, which the
 * difference might round to the other side, is computed again as OpenCV does.
 *
 * @param {Pixels} image
 * @param {number} width Not more than the image's, as `height`.
 * @param {number} height
 * @returns {Pixels}
 */
export function averageAreas(image, width, height) {
  const columns = areaAxis(image.width, width);
  const rows = areaAxis(image.height, height);
  const data = new Uint8Array(width * height * 3);
  const row = new Float64Array(width * 3);
  const sums = new Float64Array(width * 3);
  let averaged = -1;
  for (let y = 0, to = 0; y < height; y++) {
    sums.fill(0);
    const last = rows.first[y] + rows.count[y];
    for (let from = rows.first[y] - 1; from <= last; from++) {
      const weight = weightOf(rows, y, from);
      if (weight === 0) continue;
      // A row at an edge belongs to two targets.
      if (from !== averaged) averageRow(image, from, columns, row);
      averaged = from;
      for (let i = 0; i < sums.length; i++) sums[i] += weight * row[i];
    }
    for (let i = 0; i < sums.length; i++, to++) {
      const distance = Math.abs(sums[i] - Math.floor(sums[i]) - 0.5);
      const isNear = distance < NEAR_HALF;
      data[to] = isNear ? averageInOrder(image, columns, rows, y, i) : Math.floor(sums[i] + 0.5);
    }
  }
  return pixels(data, width, height);
}

/**
 * Weight of a source pixel of one axis in a target pixel.
 *
 * @param {AreaAxis} axis
 * @param {number} target
 * @param {number} source
 */
function weightOf({ first, count, weight, before, after }, target, source) {
  if (source < first[target]) return before[target];
  return source < first[target] + count[target] ? weight[target] : after[target];
}

/**
 * Average each area of one row of the source.
 *
 * @param {Pixels} image
 * @param {number} y
 * @param {AreaAxis} columns
 * @param {Float64Array} row
 */
function averageRow(image, y, columns, row) {
  const { data, channels } = image;
  const start = image.start + y * image.stride;
  for (let x = 0, to = 0; to < row.length; x++, to += 3) {
    const first = start + columns.first[x] * channels;
    const end = first + columns.count[x] * channels;
    let red = 0;
    let green = 0;
    let blue = 0;
    for (let from = first; from < end; from += channels) {
      red += data[from];
      green += data[from + 1];
      blue += data[from + 2];
    }
    const weight = columns.weight[x];
    const before = columns.before[x];
    const after = columns.after[x];
    const left = before ? first - channels : first;
    const right = after ? end : first;
    row[to] = before * data[left] + weight * red + after * data[right];
    row[to + 1] = before * data[left + 1] + weight * green + after * data[right + 1];
    row[to + 2] = before * data[left + 2] + weight * blue + after * data[right + 2];
  }
}

/**
 * Average one area in single precision, one pixel after the other.
 *
 * @param {Pixels} image
 * @param {AreaAxis} columns
 * @param {AreaAxis} rows
 * @param {number} y Target row.
 * @param {number} i Value in the target row.
 * @returns {number} Rounded.
 */
function averageInOrder({ data, channels, start, stride }, columns, rows, y, i) {
  const x = Math.floor(i / 3);
  let sum = 0;
  for (let row = rows.first[y] - 1; row <= rows.first[y] + rows.count[y]; row++) {
    const rowWeight = weightOf(rows, y, row);
    if (rowWeight === 0) continue;
    let average = 0;
    for (
      let column = columns.first[x] - 1;
      column <= columns.first[x] + columns.count[x];
      column++
    ) {
      const weight = weightOf(columns, x, column);
      if (weight === 0) continue;
      const value = data[start + row * stride + column * channels + (i % 3)];
      average = Math.fround(average + Math.fround(weight * value));
    }
    sum = Math.fround(sum + Math.fround(rowWeight * average));
  }
  return roundHalfEven(sum);
}
