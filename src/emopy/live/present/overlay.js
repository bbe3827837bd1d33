import { drawFaces } from "./draw.js";
import { describe } from "./faces.js";
import { LabelState } from "./label_layout.js";

/** @typedef {import("./faces.js").ResultRecord} ResultRecord */
/** @typedef {import("./label_layout.js").Kind} Kind */

/** The labels that each choice allows. @type {Record<string, Kind[] | undefined>} */
const KINDS = { bars: undefined, names: ["chip"], boxes: [] };

/** Boxes and labels over an image or a video, sharp at every size of the window. */
export class Overlay {
  /** What is drawn with the boxes: "bars", "names" or "boxes" for nothing. */
  labels = "bars";
  #canvas;
  #context;
  #state = new LabelState();
  /** @type {{result: ResultRecord, colors: Record<string, string>} | null} */
  #shown = null;

  /** @param {HTMLCanvasElement} canvas With `role="img"`, over the whole image. */
  constructor(canvas) {
    const context = canvas.getContext("2d");
    if (!context) throw new Error("The browser has no 2D canvas.");
    this.#canvas = canvas;
    this.#context = context;
    new ResizeObserver(() => this.redraw()).observe(canvas);
  }

  /**
   * Draw the faces of the image that is shown now.
   * @param {ResultRecord} result @param {Record<string, string>} colors Color of each label.
   */
  draw(result, colors) {
    this.#shown = { result, colors };
    this.redraw();
  }

  /** Remove the faces, and forget where their labels were. */
  clear() {
    this.#shown = null;
    this.#state = new LabelState();
    this.redraw();
  }

  /** Draw the same faces again, as the size of the canvas and `labels` are now. */
  redraw() {
    const [width, height] = [this.#canvas.clientWidth, this.#canvas.clientHeight];
    const ratio = globalThis.devicePixelRatio || 1;
    const [dotsX, dotsY] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.#canvas.width !== dotsX || this.#canvas.height !== dotsY) {
      [this.#canvas.width, this.#canvas.height] = [dotsX, dotsY];
    }
    this.#context.setTransform(1, 0, 0, 1, 0, 0);
    this.#context.clearRect(0, 0, dotsX, dotsY);
    const description = this.#shown ? describe(this.#shown.result.faces) : "no face";
    if (this.#canvas.ariaLabel !== description) this.#canvas.ariaLabel = description;
    if (!this.#shown || !dotsX || !dotsY) return;
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { result, colors } = this.#shown;
    const state = result.time_s === undefined ? undefined : this.#state;
    const options = { state, kinds: KINDS[this.labels] };
    drawFaces({ context: this.#context, colors }, result, { width, height }, options);
  }
}
