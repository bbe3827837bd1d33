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
 * Draw the stacked areas of one track, the first label on top.
 *
 * @param {Plot} plot
 * @param {readonly ProbabilityCurve[]} curves One for each time without a gap.
 * @param {readonly string[]} colors Color of each label, in order.
 */
export function drawAreas({ context, width, height, spanS }, curves, colors) {
  const scale = width / Math.max(spanS[1] - spanS[0], 1e-3);
  for (const { timesS, probabilities } of curves) {
    const xs = timesS.map((time) => (time - spanS[0]) * scale);
    const edges = probabilities.map(edgesOf);
    colors.forEach((color, label) => {
      context.beginPath();
      xs.forEach((x, n) => context.lineTo(x, edges[n][label] * height));
      for (let n = xs.length - 1; n >= 0; n--) context.lineTo(xs[n], edges[n][label + 1] * height);
      context.closePath();
      context.fillStyle = context.strokeStyle = color;
      context.lineWidth = 0.5; // closes the thin gap between two areas
      context.fill();
      context.stroke();
    });
  }
}

/**
 * Write names into the areas of one track, in the middle of each stretch with room for one.
 *
 * @param {Plot} plot
 * @param {readonly ProbabilityCurve[]} curves
 * @param {Record<string, string>} colors Color of each label, in order.
 * @param {{size: number, family: string}} font Size in the units of the plot.
 */
export function drawNames(plot, curves, colors, { size, family }) {
  const { context, width, height, spanS } = plot;
  const count = Math.floor(width / POSITION_STEP);
  const secondsPerStep = (spanS[1] - spanS[0]) / Math.max(count, 1);
  const edges = edgesAt(curves, count, (step) => spanS[0] + step * secondsPerStep);
  context.font = `${size}px ${family}`;
  context.textBaseline = "alphabetic";
  Object.entries(colors).forEach(([name, color], label) => {
    const needed = Math.ceil((context.measureText(name).width + size) / POSITION_STEP);
    const room = edges.map((each) => (each ? height * (each[label + 1] - each[label]) : 0));
    for (const [first, last] of runs(room, 1.6 * size)) {
      const start = Math.round((first + last - needed) / 2);
      if (start < first || start + needed > last) continue;
      const within = /** @type {number[][]} */ (edges.slice(start, start + needed));
      const top = Math.max(...within.map((each) => each[label])) * height;
      const bottom = Math.min(...within.map((each) => each[label + 1])) * height;
      if (bottom - top < 1.2 * size) continue;
      context.fillStyle = isLight(color) ? DARK_TEXT : "white";
      context.fillText(name, start * POSITION_STEP + size / 2, (top + bottom) / 2 + 0.34 * size);
    }
  });
}

/**
 * The edges of the areas at each position, or null where the face is not visible.
 *
 * @param {readonly ProbabilityCurve[]} curves
 * @param {number} count
 * @param {(step: number) => number} timeOf
 */
function edgesAt(curves, count, timeOf) {
  /** @type {(number[] | null)[]} */
  const edges = new Array(count).fill(null);
  for (const { timesS, probabilities } of curves) {
    const known = probabilities.map(edgesOf);
    let n = 0;
    for (let step = 0; step < count; step++) {
      const time = timeOf(step);
      if (time < timesS[0] || time > timesS[timesS.length - 1]) continue;
      while (n < timesS.length - 2 && timesS[n + 1] < time) n++;
      const [before, after] = [known[n], known[Math.min(n + 1, known.length - 1)]];
      const part = (time - timesS[n]) / Math.max(timesS[n + 1] - timesS[n], 1e-9);
      edges[step] = before.map((edge, index) => edge + part * (after[index] - edge));
    }
  }
  return edges;
}

/**
 * Start and end of each run of values that reach a limit.
 *
 * @param {readonly number[]} values
 * @param {number} limit
 */
function runs(values, limit) {
  /** @type {[number, number][]} */
  const found = [];
  let start = -1;
  [...values, -Infinity].forEach((value, index) => {
    if (value >= limit && start < 0) start = index;
    if (value < limit && start >= 0) {
      found.push([start, index]);
      start = -1;
    }
  });
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

/** Edges of rows of probabilities, which do not change: a plot is drawn again and again. */
const EDGES = new WeakMap();

/**
 * The edges of the areas from the top, 0, to the bottom, 1.
 *
 * @param {readonly number[]} probabilities
 * @returns {number[]}
 */
function edgesOf(probabilities) {
  const known = EDGES.get(probabilities);
  if (known) return known;
  const total = Math.max(
    probabilities.reduce((sum, each) => sum + each, 0),
    1e-12,
  );
  let sum = 0;
  const edges = [0, ...probabilities.map((each) => (sum += each) / total)];
  EDGES.set(probabilities, edges);
  return edges;
}
