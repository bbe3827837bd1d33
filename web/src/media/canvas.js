/** Decode images and read their pixels, in the worker. */

import { InputError } from "../errors.js";
import { pixels } from "./pixels.js";

/** @typedef {import("./pixels.js").Pixels} Pixels */
/** @typedef {import("./sources.js").SentImage} SentImage */

/** Largest width × height of an image by default: what browsers can draw. */
export const MAX_PIXELS = 16384 * 16384;

/** Reads the pixels of bitmaps and files; one canvas serves all images of a size. */
export class PixelReader {
  /** @param {number} [maxPixels] Largest width × height of an image. */
  constructor(maxPixels = MAX_PIXELS) {
    this._maxPixels = maxPixels;
    /** @type {OffscreenCanvas | null} */
    this._canvas = null;
  }

  /**
   * Read an image as upright pixels; transparency is composited on white.
   *
   * @param {SentImage} image A bitmap is closed.
   * @param {string} name For error messages.
   * @returns {Promise<Pixels>}
   * @throws {InputError} It cannot be decoded, or is too large.
   */
  async read(image, name) {
    if ("data" in image) return this._checked(image, name);
    const bitmap = image instanceof Blob ? await decode(image, name) : image;
    try {
      return this._draw(this._checked(bitmap, name), name);
    } finally {
      bitmap.close();
    }
  }

  /**
   * @template {{width: number, height: number}} Sized
   * @param {Sized} image
   * @param {string} name
   * @returns {Sized}
   */
  _checked(image, name) {
    if (image.width * image.height <= this._maxPixels) return image;
    throw new InputError(
      `\`image\` must have at most ${this._maxPixels} pixels. Received '${name}': ` +
        `${image.width} × ${image.height}. Resize it, or increase maxPixels.`,
    );
  }

  /**
   * @param {ImageBitmap} bitmap
   * @param {string} name
   * @returns {Pixels}
   */
  _draw(bitmap, name) {
    const { width, height } = bitmap;
    if (this._canvas?.width !== width || this._canvas.height !== height) {
      this._canvas = new OffscreenCanvas(width, height);
    }
    // The canvas is kept in main memory, where its pixels are read.
    const context = this._canvas.getContext("2d", { willReadFrequently: true });
    try {
      if (!context) throw new Error("no canvas of this size");
      context.fillStyle = "white";
      context.fillRect(0, 0, width, height);
      context.drawImage(bitmap, 0, 0);
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
