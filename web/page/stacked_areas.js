/** Stacked areas of probabilities over time on a canvas. */

import { isLight } from "../../src/emopy/live/present/colors.js";
import { clock } from "./time_text.js";

/** @typedef {import("./time_bins.js").ProbabilityCurve} ProbabilityCurve */

/**
 * @typedef {object} Plot
 * @property {CanvasRenderingContext2D} context
 * @property {number} width Of the plot, in the units of the context.
 * @property {number} height
 * @property {number[]} spanS First and last time of the axis in seconds.
 */

const SECONDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];
const MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 240];
const TICK_STEPS_S = [...SECONDS, ...MINUTES.map((minutes) => 60 * minutes)];

/** Width for a tick with its time. */
const TICK_WIDTH = 64;

/** Distance of the positions along the time axis that are tried for the name of an area. */
const POSITION_STEP = 4;

const DARK_TEXT = "#1c1c20";

/**
 * Return round times between two others in seconds, and how many decimals they need.
 *
 * @param {readonly number[]} spanS
 * @param {number} maxTicks
 */
export function timeTicks([start, end], maxTicks) {
  const last = TICK_STEPS_S[TICK_STEPS_S.length - 1];
  const step = TICK_STEPS_S.find((each) => (end - start) / each <= maxTicks) ?? last;
  const ticks = [];
  const lastTick = Math.floor(end / step + 1e-9);
  for (let n = Math.ceil(start / step - 1e-9); n <= lastTick; n++) ticks.push(n * step);
  return { ticks, digits: step >= 1 ? 0 : 1 };
}

/**
 * The areas of a curve.
 *
 * @typedef {object} Areas
 * @property {Float64Array} timesS n times in seconds, increasing.
 * @property {Float64Array} edges n × (labels + 1), from the top, 0, to the bottom, 1.
 */

/**
 * Compute the areas of a curve.
 *
 * @param {ProbabilityCurve} curve
 * @returns {Areas}
 */
export function areasOf({ timesS, probabilities }) {
  const rows = timesS.length;
  const columns = probabilities.length / rows;
  const edges = new Float64Array(rows * (columns + 1));
  for (let row = 0; row < rows; row++) {
    let total = 0;
    for (let i = 0; i < columns; i++) total += probabilities[row * columns + i];
    total = Math.max(total, 1e-12);
    let sum = 0;
    for (let i = 0; i < columns; i++) {
      sum += probabilities[row * columns + i];
      edges[row * (columns + 1) + i + 1] = sum / total;
    }
  }
  return { timesS, edges };
}

/**
 * Draw the stacked areas of one track, the first label on top.
 *
 * @param {Plot} plot
 * @param {readonly Areas[]} areas One for each time without a gap.
 * @param {readonly string[]} colors Color of each label, in order.
 */
export function drawAreas({ context, width, height, spanS }, areas, colors) {
  const scale = width / Math.max(spanS[1] - spanS[0], 1e-3);
  const size = colors.length + 1;
  for (const { timesS, edges } of areas) {
    for (let label = 0; label < colors.length; label++) {
      context.beginPath();
      for (let n = 0; n < timesS.length; n++) {
        context.lineTo((timesS[n] - spanS[0]) * scale, edges[n * size + label] * height);
      }
      for (let n = timesS.length - 1; n >= 0; n--) {
        context.lineTo((timesS[n] - spanS[0]) * scale, edges[n * size + label + 1] * height);
      }
      context.closePath();
      context.fillStyle = context.strokeStyle = colors[label];
      context.lineWidth = 0.5; // closes the thin gap between two areas
      context.fill();
      context.stroke();
    }
  }
}

/**
 * Write names into the areas of one track, in the middle of each stretch with room for one.
 *
 * @param {Plot} plot
 * @param {readonly Areas[]} areas
 * @param {Record<string, string>} colors Color of each label, in order.
 * @param {{size: number, family: string}} font Size in the units of the plot.
 */
export function drawNames(plot, areas, colors, { size, family }) {
  const { context, width, height, spanS } = plot;
  const names = Object.keys(colors);
  const count = Math.floor(width / POSITION_STEP);
  const edges = edgesAt(areas, spanS, count, names.length + 1);
  const room = new Float64Array(count);
  context.font = `${size}px ${family}`;
  context.textBaseline = "alphabetic";
  names.forEach((name, label) => {
    const needed = Math.ceil((context.measureText(name).width + size) / POSITION_STEP);
    const [upper, lower] = [label * count, (label + 1) * count];
    for (let n = 0; n < count; n++) room[n] = height * (edges[lower + n] - edges[upper + n]);
    for (const [first, last] of runs(room, 1.6 * size)) {
      const start = Math.round((first + last - needed) / 2);
      if (start < first || start + needed > last) continue;
      let [top, bottom] = [0, 1];
      for (let n = start; n < start + needed; n++) {
        top = Math.max(top, edges[upper + n]);
        bottom = Math.min(bottom, edges[lower + n]);
      }
      if ((bottom - top) * height < 1.2 * size) continue;
      context.fillStyle = isLight(colors[name]) ? DARK_TEXT : "white";
      const baseline = ((top + bottom) / 2) * height + 0.34 * size;
      context.fillText(name, start * POSITION_STEP + size / 2, baseline);
    }
  });
}

/**
 * The edges of the areas at evenly spaced positions of the time axis.
 *
 * @param {readonly Areas[]} areas
 * @param {readonly number[]} spanS
 * @param {number} count Number of positions.
 * @param {number} size Number of edges: labels + 1.
 * @returns {Float64Array} size × count; 0 where the face is not visible.
 */
function edgesAt(areas, spanS, count, size) {
  const found = new Float64Array(size * count);
  const secondsPerStep = (spanS[1] - spanS[0]) / Math.max(count, 1);
  for (const { timesS, edges } of areas) {
    let n = 0;
    for (let step = 0; step < count; step++) {
      const time = spanS[0] + step * secondsPerStep;
      if (time < timesS[0] || time > timesS[timesS.length - 1]) continue;
      while (n < timesS.length - 2 && timesS[n + 1] < time) n++;
      const part = (time - timesS[n]) / Math.max(timesS[n + 1] - timesS[n], 1e-9);
      for (let edge = 0; edge < size; edge++) {
        const [before, after] = [edges[n * size + edge], edges[(n + 1) * size + edge]];
        found[edge * count + step] = before + part * (after - before);
      }
    }
  }
  return found;
}

/**
 * Start and end of each run of values that reach a limit.
 *
 * @param {Float64Array} values
 * @param {number} limit More than 0.
 */
function runs(values, limit) {
  /** @type {[number, number][]} */
  const found = [];
  let start = -1;
  for (let index = 0; index <= values.length; index++) {
    const value = index < values.length ? values[index] : 0;
    if (value >= limit && start < 0) start = index;
    if (value < limit && start >= 0) {
      found.push([start, index]);
      start = -1;
    }
  }
  return found;
}

/**
 * Draw the times below a plot.
 *
 * @param {Plot} plot
 * @param {{color: string, font: string}} style
 */
export function drawTimes({ context, width, height, spanS }, { color, font }) {
  const { ticks, digits } = timeTicks(spanS, Math.max(1, Math.floor(width / TICK_WIDTH)));
  context.fillStyle = color;
  context.font = font;
  context.textBaseline = "top";
  for (const tick of ticks) {
    const x = ((tick - spanS[0]) / Math.max(spanS[1] - spanS[0], 1e-3)) * width;
    const text = clock(Math.max(tick, 0), digits);
    const half = context.measureText(text).width / 2;
    context.fillRect(Math.min(x, width - 1), height, 1, 4);
    context.fillText(text, Math.min(Math.max(x - half, 0), width - 2 * half), height + 6);
  }
}
