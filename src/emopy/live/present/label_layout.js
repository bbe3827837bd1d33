/** `placeLabels`: which label each face gets, and where; `LabelState`: labels of the last frames.
 *
 * A panel (bars of all labels) goes beside its face, inside the image, over no face and no other
 * label. Faces without room for one get a chip (name and striped line). A single face gets a panel
 * of three rows instead: beside it, else in the corner that covers least of eyes, nose and mouth.
 */

import { COMPACT_ROWS, chipSize, panelSize } from "./face_labels.js";
import { placeChip, placeCorner, placePanel } from "./placement.js";

/** @typedef {import("./faces.js").Box} Box */
/** @typedef {import("./faces.js").FaceRecord} FaceRecord */
/** @typedef {import("./faces.js").ResultRecord} ResultRecord */
/** @typedef {import("./face_labels.js").Paper} Paper */
/** @typedef {import("./face_labels.js").Size} Size */
/** @typedef {import("./face_labels.js").Style} Style */

/** @typedef {"panel" | "compact" | "corner" | "chip"} Kind */

/**
 * @typedef {{kind: Kind, place: Box}} Label
 * A label of a face: a panel, a panel of three rows (beside or in a corner), or a chip.
 */

/** Seconds for which there must be room before a label of a video is replaced by a larger one. */
const WAIT_S = 1;

/** Seconds after which the label of a lost face is forgotten. */
const FORGET_S = 2;

/** Relative error of the font size up to which a video keeps it. */
const FONT_TOLERANCE = 0.2;

/** @type {Kind[]} */
const SIZE_ORDER = ["chip", "corner", "compact", "panel"];
/** @type {Kind[]} */
const KINDS_OF_ONE = ["panel", "compact", "corner", "chip"];
/** @type {Kind[]} */
const KINDS_OF_SEVERAL = ["panel", "chip"];

/**
 * Sizes for an image with faces: smaller where faces are small.
 * @param {Size} size @param {readonly Box[]} boxes
 * @returns {Style}
 */
export function chooseStyle({ width, height }, boxes) {
  const shorter = Math.min(width, height);
  let font = 3 + shorter * 0.03;
  if (boxes.length) {
    // About seven letters to the width of the typical face, but never too small to read.
    const widths = boxes.map((box) => box.right - box.left).sort((one, other) => one - other);
    const middle = widths.length / 2;
    const typical = (widths[Math.ceil(middle) - 1] + widths[Math.floor(middle)]) / 2;
    font = Math.min(font, Math.max(typical / 5.5, shorter * 0.017));
  }
  // The widest label, "contempt 100 %" and its number, stays within the image.
  font = Math.min(Math.max(font, 11), Math.max(width / 12, 5), Math.max(height / 3, 5));
  font = Math.round(font);
  const [line, gap] = [Math.round(font / 8), Math.round(font * 0.4)];
  return { font, line: Math.max(2, line), gap: Math.max(2, gap) };
}

/** Keeps the labels of a video still; use one object for all frames in `drawFaces`.
 *
 * A label keeps its side of the face while there is room, its place while the box only jitters, and
 * its font size.
 */
export class LabelState {
  /** @type {Style | null} */
  #style = null;
  /** Time of the last drawing and label, by track. @type {Map<number, {drawnS: number, label: Label}>} */
  #labels = new Map();
  /** @type {Map<string, number>} */
  #roomSince = new Map();

  /** The last sizes, unless the wanted font size is clearly different. @param {Style} wanted */
  style(wanted) {
    const isClose =
      this.#style !== null && Math.abs(1 - this.#style.font / wanted.font) <= FONT_TOLERANCE;
    if (!isClose || !this.#style) this.#style = wanted;
    return this.#style;
  }

  /** The last label of a track. @param {number | undefined} track */
  last(track) {
    return track === undefined ? undefined : this.#labels.get(track)?.label;
  }

  /**
   * Whether a track may have a label of this kind, given whether there is room now. A label is
   * replaced by a larger one only where there was room for a second.
   * @param {Kind} kind @param {number | undefined} track @param {number | undefined} timeS
   * @param {boolean} hasRoom
   */
  allows(kind, track, timeS, hasRoom) {
    const last = this.last(track);
    const isLarger = last && SIZE_ORDER.indexOf(kind) > SIZE_ORDER.indexOf(last.kind);
    if (track === undefined || timeS === undefined || !isLarger) return hasRoom;
    const key = `${track} ${kind}`;
    if (!hasRoom) {
      this.#roomSince.delete(key);
      return false;
    }
    const since = this.#roomSince.get(key) ?? timeS;
    this.#roomSince.set(key, since);
    return timeS - since >= WAIT_S;
  }

  /**
   * Store the labels of a frame by track; forget tracks that are lost for long.
   * @param {Iterable<[number | undefined, Label]>} labels @param {number} now Seconds.
   */
  update(labels, now) {
    for (const [track, label] of labels) {
      if (track !== undefined) this.#labels.set(track, { drawnS: now, label });
    }
    for (const [track, { drawnS, label }] of this.#labels) {
      this.#roomSince.delete(`${track} ${label.kind}`);
      if (now - drawnS < 0 || now - drawnS > FORGET_S) {
        this.#labels.delete(track);
        for (const kind of SIZE_ORDER) this.#roomSince.delete(`${track} ${kind}`);
      }
    }
  }
}

/**
 * The number on a face's label: its track, else its number unless it is alone.
 * @param {ResultRecord} result @param {number} index
 */
export function shownNumber(result, index) {
  return result.faces[index].track ?? (result.faces.length > 1 ? index + 1 : null);
}

/**
 * The sizes to draw with, and labels by the index of their face in drawing order.
 * @param {Paper} paper
 * @param {ResultRecord} result
 * @param {{
 *   boxes: readonly Box[], canvas: Size, state?: LabelState, kinds?: readonly Kind[],
 * }} layout Boxes of the faces in the canvas; `state` holds the labels of earlier frames; `kinds`
 *   are those that may be used.
 * @returns {{style: Style, labels: Map<number, Label>}}
 */
export function placeLabels(paper, result, { boxes, canvas, state = new LabelState(), kinds }) {
  const style = state.style(chooseStyle(canvas, boxes));
  /** @type {Map<number, Label>} */
  const labels = new Map();
  for (const kind of boxes.length === 1 ? KINDS_OF_ONE : KINDS_OF_SEVERAL) {
    if (kinds && !kinds.includes(kind)) continue;
    for (const index of inOrder(result.faces, kind, state)) {
      if (labels.has(index)) continue;
      const others = [...labels.values()].map((label) => label.place);
      const layout = { boxes, canvas, style, state, others };
      const place = placeOne(paper, result, index, kind, layout);
      if (place) labels.set(index, { kind, place });
    }
  }
  const byTrack = [...labels].map(([index, label]) => [result.faces[index].track, label]);
  state.update(/** @type {[number | undefined, Label][]} */ (byTrack), result.time_s ?? 0);
  return { style, labels };
}

/**
 * The place of a label of this kind for a face, or null without room among other labels.
 * @param {Paper} paper @param {ResultRecord} result @param {number} index @param {Kind} kind
 * @param {{
 *   boxes: readonly Box[], canvas: Size, style: Style, state: LabelState, others: Box[],
 * }} layout
 * @returns {Box | null}
 */
function placeOne(paper, result, index, kind, { boxes, canvas, style, state, others }) {
  const [face, box, number] = [result.faces[index], boxes[index], shownNumber(result, index)];
  const last = state.last(face.track);
  const previous = last?.kind === kind ? last.place : null;
  /** @type {Box | null} */
  let place;
  if (kind === "chip") {
    const size = chipSize(paper, face, number, style);
    place = placeChip(size, box, { faces: boxes, labels: others }, canvas, previous);
  } else {
    const size = panelSize(paper, face, number, style, kind === "panel" ? null : COMPACT_ROWS);
    place =
      kind === "corner"
        ? placeCorner(size, box, canvas, style, previous)
        : placePanel(size, box, [...boxes, ...others], canvas, style, previous);
  }
  return state.allows(kind, face.track, result.time_s, place !== null) ? place : null;
}

/**
 * Indices of faces: those with this kind of label before by track, then the others.
 * @param {readonly FaceRecord[]} faces @param {Kind} kind @param {LabelState} state
 */
function inOrder(faces, kind, state) {
  const ranks = faces.map(({ track }, index) => {
    const had = state.last(track)?.kind === kind;
    return { index, had, rank: had && track !== undefined ? track : index };
  });
  ranks.sort((one, other) => Number(other.had) - Number(one.had) || one.rank - other.rank);
  return ranks.map(({ index }) => index);
}
