/** `drawFaces`: boxes, predicted emotions and bars on a canvas; `annotatedImage`: on an image. */

import {
  BACKGROUND,
  COMPACT_ROWS,
  colorOf,
  drawChip,
  drawPanel,
  panelSize,
} from "./face_labels.js";
import { placeLabels, shownNumber } from "./label_layout.js";
import { areaOf } from "./placement.js";

/** @typedef {import("./faces.js").Box} Box */
/** @typedef {import("./faces.js").ResultRecord} ResultRecord */
/** @typedef {import("./face_labels.js").Paper} Paper */
/** @typedef {import("./face_labels.js").Size} Size */
/** @typedef {import("./face_labels.js").Style} Style */
/** @typedef {import("./label_layout.js").Kind} Kind */
/** @typedef {import("./label_layout.js").Label} Label */
/** @typedef {import("./label_layout.js").LabelState} LabelState */

/** Pixels. An image with a shorter side is enlarged, so that text is readable. */
const MIN_SIDE = 480;

/** Pixels that an enlarged image may have. */
const MAX_ENLARGED = 4_000_000;

/** Pixels that a side of an enlarged image may have. */
const MAX_ENLARGED_SIDE = 8000;

/** Factor of the font size beside an image, where there is more room. */
const EXPANDED_FONT = 1.4;

const OUTLINE_RIM = "rgb(16 16 20)";

/**
 * Draw a box, the predicted emotion and bars for each face on a canvas that shows the image.
 * @param {Paper} paper
 * @param {ResultRecord} result
 * @param {Size} canvas Size in which the whole image is shown.
 * @param {{state?: LabelState, kinds?: readonly Kind[]}} [options] For a video, one state for all
 *   frames keeps labels in their places; `kinds` are the labels that may be used.
 */
export function drawFaces(paper, result, canvas, options = {}) {
  const boxes = boxesIn(result, canvas);
  const { style, labels } = placeLabels(paper, result, { boxes, canvas, ...options });
  drawLabels(paper, result, { boxes, labels, style });
}

/**
 * A new canvas with the image and the predictions drawn in. A small image is enlarged, and it is
 * made wider where there is no room for the bars of a single face.
 * @param {CanvasImageSource} image The image of the result, upright.
 * @param {ResultRecord} result
 * @param {Record<string, string>} colors Color of each label.
 * @returns {OffscreenCanvas}
 */
export function annotatedImage(image, result, colors) {
  const factor = enlargement(result);
  const size = { width: result.width * factor, height: result.height * factor };
  const boxes = boxesIn(result, size);
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  if (!context) throw new Error("The browser has no 2D canvas.");
  const paper = { context, colors };
  let { style, labels } = placeLabels(paper, result, { boxes, canvas: size });
  let [full, panelStyle] = [size, style];
  if (boxes.length === 1 && labels.get(0)?.kind !== "panel") {
    panelStyle = { ...style, font: Math.round(style.font * EXPANDED_FONT) };
    ({ full, labels } = expanded(paper, result, boxes[0], size, panelStyle));
  }
  [context.canvas.width, context.canvas.height] = [full.width, full.height];
  context.fillStyle = BACKGROUND;
  context.fillRect(0, 0, full.width, full.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, size.width, size.height);
  drawLabels(paper, result, { boxes, labels, style, panelStyle });
  return context.canvas;
}

/**
 * The whole factor by which `annotatedImage` enlarges an image of this size.
 * @param {Size} size
 */
export function enlargement({ width, height }) {
  const wanted = Math.ceil(MIN_SIDE / Math.min(width, height));
  const possible = Math.floor(Math.sqrt(MAX_ENLARGED / (width * height)));
  const longest = Math.floor(MAX_ENLARGED_SIDE / Math.max(width, height));
  return Math.max(1, Math.min(wanted, possible, longest));
}

/**
 * The parts of the faces' boxes that are inside the canvas, in its pixels, at least one each.
 * @param {ResultRecord} result @param {Size} canvas
 * @returns {Box[]}
 */
function boxesIn(result, { width, height }) {
  const [scaleX, scaleY] = [width / result.width, height / result.height];
  return result.faces.map(({ box }) => {
    const left = Math.min(Math.max(Math.round(box.left * scaleX), 0), width - 1);
    const top = Math.min(Math.max(Math.round(box.top * scaleY), 0), height - 1);
    const right = Math.max(Math.min(Math.round(box.right * scaleX), width), left + 1);
    const bottom = Math.max(Math.min(Math.round(box.bottom * scaleY), height), top + 1);
    return { left, top, right, bottom };
  });
}

/**
 * The size with room for a panel on the right of the image, and the panel there.
 * @param {Paper} paper @param {ResultRecord} result @param {Box} box @param {Size} size
 * @param {Style} style
 * @returns {{full: Size, labels: Map<number, Label>}}
 */
function expanded(paper, result, box, size, style) {
  const { width, height } = panelSize(paper, result.faces[0], shownNumber(result, 0), style);
  const left = size.width + style.gap;
  const top = Math.max(Math.min(box.top, size.height - height), 0);
  const place = { left, top, right: left + width, bottom: top + height };
  return {
    full: { width: left + width + style.gap, height: Math.max(size.height, height) },
    labels: new Map([[0, { kind: "panel", place }]]),
  };
}

/**
 * @param {Paper} paper @param {ResultRecord} result
 * @param {{boxes: Box[], labels: Map<number, Label>, style: Style, panelStyle?: Style}} layout
 */
function drawLabels(paper, result, { boxes, labels, style, panelStyle = style }) {
  // Small faces last, so that a large box never hides the outline of a small one.
  const order = boxes.map((_, index) => index);
  order.sort((one, other) => areaOf(boxes[other]) - areaOf(boxes[one]));
  for (const index of order) {
    drawOutline(paper, boxes[index], colorOf(paper, result.faces[index]), style);
  }
  for (const [index, { kind, place }] of labels) {
    const [face, number] = [result.faces[index], shownNumber(result, index)];
    const rows = kind === "panel" ? null : COMPACT_ROWS;
    if (kind === "chip") drawChip(paper, place, face, number, style);
    else drawPanel(paper, place, face, number, panelStyle, rows);
  }
}

/**
 * Draw a colored line between two dark ones, visible on any background.
 * @param {Paper} paper @param {Box} box @param {string} color @param {Style} style
 */
function drawOutline({ context }, { left, top, right, bottom }, color, style) {
  const [width, height] = [right - left, bottom - top];
  const line = Math.min(style.line, Math.max(1, Math.floor(Math.min(width, height) / 6)));
  // A small box gets the colored line only.
  const rim = line < style.line ? 0 : Math.max(1, Math.floor(style.line / 3));
  for (const [ink, thickness] of /** @type {[string, number][]} */ ([
    [OUTLINE_RIM, rim ? line + 2 * rim : 0],
    [color, line],
  ])) {
    if (!thickness) continue;
    const inset = rim + line / 2;
    context.strokeStyle = ink;
    context.lineWidth = thickness;
    context.beginPath();
    context.roundRect(left + inset, top + inset, width - 2 * inset, height - 2 * inset, style.gap);
    context.stroke();
  }
}
