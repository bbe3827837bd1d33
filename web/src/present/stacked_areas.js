/** Stacked areas of probabilities over time on a canvas. */

import { clock } from "./time_text.js";

/** @typedef {import("../video/time_bins.js").ProbabilityCurve} ProbabilityCurve */

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

/**
 * The edges of the areas from the top, 0, to the bottom, 1.
 *
 * @param {readonly number[]} probabilities
 */
function edgesOf(probabilities) {
  const total = Math.max(
    probabilities.reduce((sum, each) => sum + each, 0),
    1e-12,
  );
  let sum = 0;
  return [0, ...probabilities.map((each) => (sum += each) / total)];
}
