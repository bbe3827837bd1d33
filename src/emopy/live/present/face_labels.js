/** Labels of faces on an image: a panel with bars, and a chip with a striped line. */

import { clip, labelOf, percent } from "./faces.js";

/** @typedef {import("./faces.js").Box} Box */
/** @typedef {import("./faces.js").FaceRecord} FaceRecord */

/**
 * @typedef {{font: number, line: number, gap: number}} Style
 * Sizes in pixels that fit an image and its faces: font size, line width of a box, space around
 * text.
 */

/**
 * @typedef {{
 *   context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D,
 *   colors: Record<string, string>,
 * }} Paper
 * What labels are drawn on, and the color of each label.
 */

/** @typedef {{width: number, height: number}} Size */

export const BACKGROUND = "rgb(18 18 22)";

/** Labels that a compact panel shows. */
export const COMPACT_ROWS = 3;

const FONT_FAMILY =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const TEXT = "#ffffff";
const DIM_TEXT = "#cdcdd2";
const EMPTY_BAR = "#4e4e54";
const OPACITY = 0.8;

/** The color of a predicted emotion; white without one. @param {Paper} paper @param {FaceRecord} face */
export const colorOf = ({ colors }, face) => (face.emotion === null ? TEXT : colors[face.emotion]);

/**
 * The labels of a face that a panel shows.
 * @param {FaceRecord} face
 * @param {number | null} rows Only so many, the most probable first; null for all in their order.
 * @returns {[string, number | null][]}
 */
function rowsOf(face, rows) {
  const all = Object.entries(face.probabilities);
  return rows === null
    ? all
    : all.sort((one, other) => clip(other[1]) - clip(one[1])).slice(0, rows);
}

/** @param {FaceRecord} face @param {number | null} number */
function title(face, number) {
  const text = `${labelOf(face)} ${percent(face.confidence)}`;
  return number === null ? text : `${number}  ${text}`;
}

/**
 * Widths that were measured, by font size and text: frame after frame has the same names and numbers.
 * @type {Map<string, number>}
 */
const WIDTHS = new Map();
const MAX_WIDTHS = 1000;

/** @param {Paper} paper @param {string} text @param {Style} style */
function textWidth({ context }, text, style) {
  const key = `${style.font} ${text}`;
  let width = WIDTHS.get(key);
  if (width === undefined) {
    context.font = `500 ${style.font}px ${FONT_FAMILY}`;
    width = Math.ceil(context.measureText(text).width);
    if (WIDTHS.size >= MAX_WIDTHS) WIDTHS.clear();
    WIDTHS.set(key, width);
  }
  return width;
}

/** @param {Style} style */
const rowHeight = (style) => Math.round(style.font * 1.35);
/** @param {Style} style */
const stripeHeight = (style) => Math.max(2, Math.round(style.font * 0.25));

/**
 * The size of a panel in pixels; `rows` as in `drawPanel`.
 * @param {Paper} paper @param {FaceRecord} face @param {number | null} number
 * @param {Style} style @param {number | null} [rows]
 * @returns {Size}
 */
export function panelSize(paper, face, number, style, rows = null) {
  const labels = Object.keys(face.probabilities);
  const names = Math.max(...labels.map((label) => textWidth(paper, label, style)));
  const bar = names + Math.round(style.font * 5) + textWidth(paper, "100 %", style) + 2 * style.gap;
  const lines = 1 + Math.min(rows ?? labels.length, labels.length);
  return {
    width: Math.max(bar, textWidth(paper, title(face, number), style)) + 2 * style.gap,
    height: lines * rowHeight(style) + 3 * style.gap,
  };
}

/**
 * Draw the predicted emotion, and below it a bar per label, into a place of `panelSize`.
 * @param {Paper} paper @param {Box} place @param {FaceRecord} face @param {number | null} number
 * @param {Style} style
 * @param {number | null} [rows] Only that many labels, the most probable first; null for all.
 */
export function drawPanel(paper, place, face, number, style, rows = null) {
  const { context, colors } = paper;
  drawBackground(paper, place, style);
  const row = rowHeight(style);
  const [left, right] = [place.left + style.gap, place.right - style.gap];
  drawText(paper, left, place.top + style.gap + row / 2, title(face, number), style, TEXT);
  const names = Math.max(
    ...Object.keys(face.probabilities).map((label) => textWidth(paper, label, style)),
  );
  const start = left + names + style.gap;
  const end = right - textWidth(paper, "100 %", style) - style.gap;
  const thickness = Math.max(3, Math.round(style.font * 0.5));
  let middle = place.top + 2 * style.gap + 1.5 * row;
  for (const [label, probability] of rowsOf(face, rows)) {
    const ink = label === face.emotion ? TEXT : DIM_TEXT;
    drawText(paper, left, middle, label, style, ink);
    const top = Math.round(middle - thickness / 2);
    fillRounded(context, { left: start, top, right: end, bottom: top + thickness }, EMPTY_BAR, 2);
    const filled = Math.round((end - start) * clip(probability));
    const bar = { left: start, top, right: start + filled, bottom: top + thickness };
    if (filled) fillRounded(context, bar, colors[label], 2);
    const text = percent(probability);
    drawText(paper, right - textWidth(paper, text, style), middle, text, style, ink);
    middle += row;
  }
}

/**
 * The size of a chip in pixels.
 * @param {Paper} paper @param {FaceRecord} face @param {number | null} number @param {Style} style
 * @returns {Size}
 */
export function chipSize(paper, face, number, style) {
  return {
    width: textWidth(paper, title(face, number), style) + 2 * style.gap,
    height: rowHeight(style) + stripeHeight(style) + style.gap,
  };
}

/**
 * Draw the predicted emotion, and below it one stacked bar of all labels.
 * @param {Paper} paper @param {Box} place @param {FaceRecord} face @param {number | null} number
 * @param {Style} style
 */
export function drawChip(paper, place, face, number, style) {
  const { context, colors } = paper;
  drawBackground(paper, place, style);
  const [left, right] = [place.left + style.gap, place.right - style.gap];
  const middle = place.top + style.gap / 4 + rowHeight(style) / 2;
  drawText(paper, left, middle, title(face, number), style, TEXT);
  const bottom = place.bottom - Math.floor(style.gap / 2);
  const top = bottom - stripeHeight(style);
  context.fillStyle = EMPTY_BAR;
  context.fillRect(left, top, right - left, bottom - top);
  let total = 0;
  for (const [label, probability] of rowsOf(face, Object.keys(face.probabilities).length)) {
    const before = total;
    total = Math.min(total + clip(probability), 1);
    const [start, end] = [before, total].map((edge) => left + Math.round((right - left) * edge));
    context.fillStyle = colors[label];
    context.fillRect(start, top, end - start, bottom - top);
  }
}

/**
 * Draw text that starts at x and has the middle of its small letters at y.
 * @param {Paper} paper @param {number} x @param {number} y @param {string} text
 * @param {Style} style @param {string} ink
 */
function drawText({ context }, x, y, text, style, ink) {
  context.font = `500 ${style.font}px ${FONT_FAMILY}`;
  context.textBaseline = "alphabetic";
  context.fillStyle = ink;
  // Capitals and ascenders reach about 0.7 of the font size above the baseline.
  context.fillText(text, x, y + style.font * 0.34);
}

/** Draw a translucent dark rectangle with round corners. @param {Paper} paper @param {Box} place @param {Style} style */
function drawBackground({ context }, place, style) {
  context.globalAlpha = OPACITY;
  fillRounded(context, place, BACKGROUND, style.gap);
  context.globalAlpha = 1;
}

/**
 * @param {Paper["context"]} context @param {Box} box @param {string} color @param {number} radius
 */
function fillRounded(context, { left, top, right, bottom }, color, radius) {
  context.fillStyle = color;
  context.beginPath();
  context.roundRect(left, top, right - left, bottom - top, radius);
  context.fill();
}
