/** Take the image of a source that a page has, in a form that can be sent to the worker. */

import { InputError, describe } from "../errors.js";
import { toPixels } from "./pixels.js";

/**
 * What `FERModel.predict` accepts.
 *
 * @typedef {Blob | ImageBitmap | HTMLVideoElement | HTMLImageElement | HTMLCanvasElement
 *   | OffscreenCanvas | VideoFrame | ImageData
 *   | {data: Uint8Array | Uint8ClampedArray, width: number, height: number}} ImageSource
 */

/**
 * An image on its way to the worker: an encoded file, a bitmap, a video frame or pixels.
 *
 * @typedef {Blob | ImageBitmap | VideoFrame | import("./pixels.js").Pixels} SentImage
 */

/** Classes that `createImageBitmap` takes, besides files. */
const DRAWABLE = new Set([
  "ImageBitmap",
  "HTMLVideoElement",
  "HTMLImageElement",
  "HTMLCanvasElement",
  "OffscreenCanvas",
  "VideoFrame",
]);

/** An image element or video that has something to show. @type {number} */
const HAS_CURRENT_DATA = 2;

/**
 * Name of a source in results, like those of the Python package: a file's name, or ``"<ImageBitmap>"``.
 *
 * @param {unknown} source
 * @returns {string}
 */
export function describeSource(source) {
  const kind = kindOf(source);
  return kind === "File" ? /** @type {File} */ (source).name : `<${kind}>`;
}

/**
 * Take the image that a source shows now.
 *
 * @param {ImageSource} source It is not changed, and may change afterwards.
 * @returns {Promise<{image: SentImage, transfer: Transferable[]}>}
 * @throws {InputError} Something else, or a video that has no frame yet.
 */
export async function takeImage(source) {
  const kind = kindOf(source);
  if (kind === "File" || kind === "Blob")
    return { image: /** @type {Blob} */ (source), transfer: [] };
  if (DRAWABLE.has(kind)) return takeBitmap(/** @type {ImageBitmapSource} */ (source), kind);
  const { data, width, height } = /** @type {Partial<ImageData>} */ (source ?? {});
  if (data === undefined || width === undefined || height === undefined) {
    throw new InputError(
      "`image` must be a File, Blob, ImageBitmap, ImageData, canvas, image element, video element " +
        `or VideoFrame. Received ${describe(source)}.${advice(source)}`,
    );
  }
  const pixels = toPixels({ data, width, height });
  // A copy: the owner may write to its own array while this one is on its way.
  const copy = { ...pixels, data: pixels.data.slice() };
  return { image: copy, transfer: [copy.data.buffer] };
}

/**
 * What moves to another thread with a request, instead of being copied.
 *
 * @param {{image?: SentImage}} request
 * @returns {Transferable[]}
 */
export function transferOf({ image }) {
  if (image === undefined || image instanceof Blob) return [];
  return [/** @type {Transferable} */ ("data" in image ? image.data.buffer : image)];
}

/**
 * @param {ImageBitmapSource} source
 * @param {string} kind
 * @returns {Promise<{image: ImageBitmap | VideoFrame, transfer: Transferable[]}>}
 */
async function takeBitmap(source, kind) {
  const isVideo = kind === "HTMLVideoElement";
  if (isVideo && /** @type {HTMLVideoElement} */ (source).readyState < HAS_CURRENT_DATA) {
    throw new InputError(
      "`image` must be a video that shows a frame. Received one without. Wait for its event 'loadeddata'.",
    );
  }
  try {
    const image = await copyOf(source, kind);
    return { image, transfer: [image] };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`\`image\` must show an image. Received ${kind}: ${reason}`);
  }
}

/**
 * @param {ImageBitmapSource} source
 * @param {string} kind
 * @returns {ImageBitmap | VideoFrame | Promise<ImageBitmap>}
 */
function copyOf(source, kind) {
  if (kind === "VideoFrame") return /** @type {VideoFrame} */ (source).clone();
  // A frame is taken at once; a bitmap would first be converted, in the thread of the page.
  if (kind === "HTMLVideoElement" && "VideoFrame" in globalThis) {
    return new VideoFrame(/** @type {HTMLVideoElement} */ (source));
  }
  return createImageBitmap(source);
}

/**
 * Class of a value, also where it comes from another window.
 *
 * @param {unknown} value
 * @returns {string}
 */
export function kindOf(value) {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

/** @param {unknown} source */
function advice(source) {
  return typeof source === "string" || kindOf(source) === "URL"
    ? " Type: (await fetch(url)).blob()"
    : "";
}
