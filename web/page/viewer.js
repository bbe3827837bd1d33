import { byId } from "../../src/emopy/live/present/elements.js";
import { Overlay } from "../../src/emopy/live/present/overlay.js";

/** @typedef {import("../src/index.js").ImageResult} ImageResult */
/** @typedef {"empty" | "image" | "camera" | "video"} Mode */

/** The image, video or camera, with the faces over it. */
export class Viewer {
  video = /** @type {HTMLVideoElement} */ (byId("video"));
  canvas = /** @type {HTMLCanvasElement} */ (byId("image"));
  #stage = byId("stage");
  #overlay = new Overlay(/** @type {HTMLCanvasElement} */ (byId("overlay")));
  #isMirrored = false;

  /** What is shown. @returns {Mode} */
  get mode() {
    return /** @type {Mode} */ (document.body.dataset.mode);
  }

  /** What is drawn with the boxes: "bars", "names" or "boxes" for nothing. @param {string} labels */
  set labels(labels) {
    this.#overlay.labels = labels;
    this.#overlay.redraw();
  }

  /** @param {ImageBitmap} bitmap */
  showImage(bitmap) {
    [this.canvas.width, this.canvas.height] = [bitmap.width, bitmap.height];
    this.canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
    this.#show("image", bitmap);
  }

  /**
   * Show the video element.
   * @param {"camera" | "video"} mode
   * @param {{isMirrored?: boolean}} [options] A camera that faces the user is shown as a mirror.
   */
  showVideo(mode, { isMirrored = false } = {}) {
    const { videoWidth: width, videoHeight: height } = this.video;
    this.video.controls = mode === "video";
    this.#show(mode, { width, height }, isMirrored);
  }

  /** Show the welcome again. */
  clear() {
    this.#overlay.clear();
    document.body.dataset.mode = "empty";
  }

  /** @param {ImageResult} result @param {Record<string, string>} colors Color of each label. */
  draw(result, colors) {
    this.#overlay.draw(this.#isMirrored ? mirrored(result) : result, colors);
  }

  /** @param {Mode} mode @param {{width: number, height: number}} size @param {boolean} [isMirrored] */
  #show(mode, { width, height }, isMirrored = false) {
    this.#overlay.clear();
    this.#isMirrored = isMirrored;
    this.video.hidden = mode === "image";
    this.canvas.hidden = mode !== "image";
    this.#stage.dataset.mirrored = String(isMirrored);
    this.#stage.style.setProperty("--aspect", String(width / height));
    document.body.dataset.mode = mode;
  }
}

/** A result as it is in a mirror. @param {ImageResult} result @returns {ImageResult} */
function mirrored(result) {
  const faces = result.faces.map((face) => {
    const { left, top, right, bottom } = face.box;
    return {
      ...face,
      box: { left: result.width - right, top, right: result.width - left, bottom },
    };
  });
  return { ...result, faces };
}
