/** Decode images and read their pixels, in the worker. */

import { InputError } from "../errors.js";
import { pixels } from "./pixels.js";

/** @typedef {import("./pixels.js").Pixels} Pixels */
/** @typedef {import("./sources.js").SentImage} SentImage */

/** Largest width × height of an image by default: what browsers can draw. */
export const MAX_PIXELS = 16384 * 16384;

/**
 * How a frame must be turned, then mirrored, to be upright. Older browsers do not say.
 *
 * @typedef {{rotation?: number, flip?: boolean}} Orientation
 */

/** Formats of video frames without transparency. @type {Set<string>} */
const OPAQUE_FORMATS = new Set(["I420", "I422", "I444", "NV12", "RGBX", "BGRX"]);

/** Reads the pixels of files, bitmaps and frames; one canvas serves all images of a size. */
export class PixelReader {
  /** @param {number} [maxPixels] Largest width × height of an image. */
  constructor(maxPixels = MAX_PIXELS) {
    this._maxPixels = maxPixels;
    /** @type {OffscreenCanvas | null} */
    this._canvas = null;
    /** The pixels of the last video frame. */
    this._copied = new Uint8Array(0);
  }

  /**
   * Read an image as upright pixels; transparency is composited on white.
   *
   * @param {SentImage} image A bitmap or frame is closed.
   * @param {string} name For error messages.
   * @returns {Promise<Pixels>} Those of a video frame hold until the next one is read.
   * @throws {InputError} It cannot be decoded, or is too large.
   */
  async read(image, name) {
    if ("data" in image) {
      this._check(image.width, image.height, name);
      return image;
    }
    const drawable = image instanceof Blob ? await decode(image, name) : image;
    try {
      const copied = "displayWidth" in drawable ? await this._copy(drawable, name) : null;
      return copied ?? this._draw(drawable, name);
    } finally {
      drawable.close();
    }
  }

  /**
   * @param {number} width
   * @param {number} height
   * @param {string} name
   */
  _check(width, height, name) {
    if (width * height <= this._maxPixels) return;
    throw new InputError(
      `\`image\` must have at most ${this._maxPixels} pixels. Received '${name}': ` +
        `${width} × ${height}. Resize it, or increase maxPixels.`,
    );
  }

  /**
   * Copy the pixels of a video frame, which is faster than a canvas: in Chromium it also leaves no
   * shared memory behind, of which a canvas keeps hundreds of megabytes.
   *
   * @param {VideoFrame} frame
   * @param {string} name
   * @returns {Promise<Pixels | null>} null where the browser cannot convert the frame to RGB, and for a
   *   frame that is turned or mirrored when it is shown: its copy would not be.
   */
  async _copy(frame, name) {
    const { rotation, flip } = /** @type {Orientation} */ (frame);
    if (rotation || flip) return null;
    const { displayWidth: width, displayHeight: height, visibleRect, format } = frame;
    const isOpaque = format !== null && OPAQUE_FORMATS.has(format);
    if (!isOpaque || visibleRect?.width !== width || visibleRect.height !== height) return null;
    this._check(width, height, name);
    const layout = /** @type {VideoFrameCopyToOptions} */ ({ format: "RGBA" });
    try {
      const size = 4 * width * height;
      if (frame.allocationSize(layout) !== size) return null; // planes, not pixels
      if (this._copied.length !== size) this._copied = new Uint8Array(size);
      await frame.copyTo(this._copied, layout);
      return pixels(this._copied, width, height, 4);
    } catch {
      return null; // a frame that this browser can only draw
    }
  }

  /**
   * @param {ImageBitmap | VideoFrame} image
   * @param {string} name
   * @returns {Pixels}
   */
  _draw(image, name) {
    const isFrame = "displayWidth" in image;
    const width = isFrame ? image.displayWidth : image.width;
    const height = isFrame ? image.displayHeight : image.height;
    this._check(width, height, name);
    if (this._canvas?.width !== width || this._canvas.height !== height) {
      this._canvas = new OffscreenCanvas(width, height);
    }
    // The canvas is kept in main memory, where its pixels are read.
    const context = this._canvas.getContext("2d", { willReadFrequently: true });
    try {
      if (!context) throw new Error("no canvas of this size");
      context.fillStyle = "white";
      context.fillRect(0, 0, width, height);
      context.drawImage(image, 0, 0, width, height);
      const { data } = context.getImageData(0, 0, width, height);
      return pixels(new Uint8Array(data.buffer), width, height, 4);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new InputError(
        `\`image\` must be small enough for this browser. Received '${name}': ${width} × ${height} ` +
          `(${reason}). Resize it.`,
      );
    }
  }
}

/**
 * @param {Blob} file
 * @param {string} name
 * @returns {Promise<ImageBitmap>}
 */
async function decode(file, name) {
  if (!file.size) {
    throw new InputError(
      `\`image\` must hold an image. Received '${name}': zero bytes. Copy or download the file again.`,
    );
  }
  try {
    // Color profiles are ignored, as by the Python package.
    return await createImageBitmap(file, { colorSpaceConversion: "none" });
  } catch {
    const kind = file.type ? ` (${file.type})` : "";
    throw new InputError(
      `\`image\` must be an image that this browser can decode. Received '${name}'${kind}. ` +
        "Check that it is the file you meant, or convert it to JPEG or PNG.",
    );
  }
}
