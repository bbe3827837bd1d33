/** The frames of videos: of a video element or camera as it plays, or of a file from its start. */

import { InputError, describe } from "../errors.js";
import { kindOf } from "./sources.js";

/**
 * One image of a video.
 *
 * @typedef {object} Frame
 * @property {import("./sources.js").ImageSource} image
 * @property {number} time_s Presentation time in seconds from the start of the video.
 * @property {number} [number] Index among the frames, from 0; counted where it is missing.
 */

/**
 * What `FERModel.predictVideo` accepts.
 *
 * @typedef {HTMLVideoElement | MediaStream | Blob | Iterable<Frame> | AsyncIterable<Frame>} VideoSource
 */

/**
 * @typedef {object} FrameSettings
 * @property {number} [fps] Frames per second that are taken of a file. 10 by default.
 * @property {number} [startS] Start time in a file, in seconds.
 * @property {number} [endS] End time in a file, in seconds.
 * @property {AbortSignal} [signal] Ends the video when it is aborted.
 */

const DEFAULT_FPS = 10;

/** Times closer than this are equal, in seconds: 0.7 + 0.1 is not exactly 0.8. */
const TOLERANCE_S = 1e-6;

/** Longest wait for the frame of a jump, in milliseconds: a page in the background gets no event for it. */
const SHOWN_MS = 250;

/** Milliseconds between two looks at whether a camera was stopped. */
const POLL_MS = 250;

/**
 * Yield the frames of a video.
 *
 * A video element or camera gives the frame that it shows whenever the next one is asked for; frames
 * in between are skipped. A file gives a frame every 1 / fps seconds, however long each one takes.
 *
 * @param {VideoSource} source
 * @param {FrameSettings} [settings]
 * @returns {AsyncGenerator<Frame>}
 * @throws {InputError} Not a video, or a file that this browser cannot play.
 */
export async function* framesOf(source, settings = {}) {
  const kind = kindOf(source);
  if (kind === "HTMLVideoElement") {
    yield* playedFrames(/** @type {HTMLVideoElement} */ (source), settings.signal);
  } else if (kind === "MediaStream") {
    const video = createVideo();
    try {
      const connect = () => (video.srcObject = /** @type {MediaStream} */ (source));
      if (!(await openVideo(video, connect, settings.signal))) return;
      await video.play();
      yield* playedFrames(video, settings.signal);
    } finally {
      video.srcObject = null;
    }
  } else if (kind === "File" || kind === "Blob") {
    yield* fileFrames(/** @type {Blob} */ (source), settings);
  } else if (isIterable(source)) {
    let count = 0;
    for await (const frame of source) {
      if (settings.signal?.aborted) return;
      yield { ...frame, number: frame.number ?? count };
      count += 1;
    }
  } else {
    throw new InputError(
      "`video` must be a video element, MediaStream, File, Blob or an iterable of frames. " +
        `Received ${describe(source)}.`,
    );
  }
}

/**
 * @param {unknown} source
 * @returns {source is Iterable<Frame> | AsyncIterable<Frame>}
 */
function isIterable(source) {
  return (
    typeof source === "object" &&
    source !== null &&
    (Symbol.asyncIterator in source || Symbol.iterator in source)
  );
}

/**
 * @param {HTMLVideoElement} video
 * @param {AbortSignal} [signal]
 * @returns {AsyncGenerator<Frame>}
 */
async function* playedFrames(video, signal) {
  const shown = new ShownFrames(video, signal);
  try {
    let first = null;
    for (let frame = await shown.next(); frame; frame = await shown.next()) {
      first ??= frame.presentedFrames;
      yield { image: video, time_s: frame.mediaTime, number: frame.presentedFrames - first };
    }
  } finally {
    shown.close();
  }
}

/** Waits for the frames that a video shows. It listens for the end once, not for every frame. */
class ShownFrames {
  /** Ends the wait for a frame. @type {(metadata: VideoFrameCallbackMetadata | null) => void} */
  #finish = () => {};
  #closed = new AbortController();
  #request = 0;
  #video;
  #timer;

  /** @param {HTMLVideoElement} video @param {AbortSignal} [signal] */
  constructor(video, signal) {
    this.#video = video;
    const close = () => this.close();
    // A track that the page stops sends no event.
    this.#timer = setInterval(() => this.#isOver && close(), POLL_MS);
    const listening = { signal: this.#closed.signal };
    for (const name of ["ended", "emptied", "error"]) {
      video.addEventListener(name, close, listening);
    }
    signal?.addEventListener("abort", close, listening);
    if (signal?.aborted || this.#isOver) close();
  }

  get #isOver() {
    const { ended, srcObject } = this.#video;
    const tracks = srcObject instanceof MediaStream ? srcObject.getVideoTracks() : [];
    return ended || (tracks.length > 0 && tracks.every(hasEnded));
  }

  /**
   * Wait for the next frame; null when there will be none.
   *
   * @returns {Promise<VideoFrameCallbackMetadata | null>}
   */
  next() {
    if (this.#closed.signal.aborted) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#finish = resolve;
      this.#request = this.#video.requestVideoFrameCallback((_, metadata) => resolve(metadata));
    });
  }

  close() {
    this.#closed.abort();
    clearInterval(this.#timer);
    this.#video.cancelVideoFrameCallback(this.#request);
    this.#finish(null);
  }
}

/** @param {MediaStreamTrack} track */
function hasEnded(track) {
  return track.readyState === "ended";
}

/**
 * @param {Blob} file
 * @param {FrameSettings} settings
 * @returns {AsyncGenerator<Frame>}
 */
async function* fileFrames(file, { fps = DEFAULT_FPS, startS = 0, endS = Infinity, signal }) {
  checkTimes({ fps, startS, endS });
  const video = createVideo();
  const url = URL.createObjectURL(file);
  try {
    if (!(await openVideo(video, () => (video.src = url), signal))) return;
    // Recordings of browsers state their length only after a jump to the end.
    if (!Number.isFinite(video.duration)) await seek(video, Number.MAX_SAFE_INTEGER, signal);
    const lastS = Math.min(endS - TOLERANCE_S, video.duration);
    for (let number = 0; startS + number / fps < lastS; number++) {
      const time_s = startS + number / fps;
      if (!(await seek(video, time_s, signal))) return;
      yield { image: video, time_s, number };
    }
  } finally {
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(url);
  }
}

/** @param {{fps: number, startS: number, endS: number}} settings */
function checkTimes({ fps, startS, endS }) {
  if (!(fps > 0 && fps < Infinity)) {
    throw new InputError(`\`fps\` must be more than 0. Received ${fps}. Type for example: 10`);
  }
  if (!(startS >= 0 && startS < Infinity && endS > startS)) {
    throw new InputError(
      "`startS` must be 0 or more seconds, and `endS` after it. " +
        `Received ${startS} and ${endS}. Leave them out for all of the video.`,
    );
  }
}

/** Make a video element that no page shows. */
function createVideo() {
  if (typeof document === "undefined") {
    throw new InputError(
      "`video` must be frames where there is no page, as in a worker. Received a file or stream. " +
        "Give an iterable of {image, time_s}.",
    );
  }
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.preload = "auto";
  return video;
}

/**
 * Wait until a video can show its first frame.
 *
 * @param {HTMLVideoElement} video
 * @param {() => void} connect Gives it what it shows.
 * @param {AbortSignal} [signal]
 * @returns {Promise<boolean>} false where the signal was aborted before.
 * @throws {InputError} The browser cannot play it.
 */
async function openVideo(video, connect, signal) {
  const event = await eventOf(video, "loadeddata", connect, signal);
  if (event !== "error") return event === "loadeddata";
  throw new InputError(
    "`video` must be a video that this browser can play. " +
      `Received: ${video.error?.message || "unknown format"}. Convert it to MP4 (H.264) or WebM.`,
  );
}

/**
 * Show the frame of a time.
 *
 * @param {HTMLVideoElement} video
 * @param {number} time_s
 * @param {AbortSignal} [signal]
 * @returns {Promise<boolean>} false where the signal was aborted before.
 * @throws {InputError} The file is damaged there, or ends before.
 */
async function seek(video, time_s, signal) {
  const place = video.duration < Infinity ? `at ${Number(time_s.toFixed(3))} s` : "to its end";
  let request = 0;
  const shown = new Promise((resolve) => (request = video.requestVideoFrameCallback(resolve)));
  const event = await eventOf(video, "seeked", () => (video.currentTime = time_s), signal);
  if (event === "seeked") {
    // The event may come while the frame before is still shown, or none yet.
    await Promise.race([shown, new Promise((resolve) => setTimeout(resolve, SHOWN_MS))]);
  }
  video.cancelVideoFrameCallback(request);
  if (event !== "error") return event === "seeked";
  throw new InputError(
    `\`video\` must be complete. Received one that cannot be read ${place}: ` +
      `${video.error?.message || "unknown reason"}. Copy or download it again, convert it to MP4 ` +
      "(H.264) or WebM, or set endS to an earlier time.",
  );
}

/**
 * Start something, and wait for its event: no other one comes once a video has an error.
 *
 * @template {"loadeddata" | "seeked"} Name
 * @param {HTMLVideoElement} video
 * @param {Name} name
 * @param {() => void} start
 * @param {AbortSignal} [signal]
 * @returns {Promise<Name | "error" | "abort">} What came first.
 */
async function eventOf(video, name, start, signal) {
  if (signal?.aborted) return "abort";
  if (video.error) return "error";
  const done = new AbortController();
  try {
    return await new Promise((resolve) => {
      const listening = { signal: done.signal };
      video.addEventListener(name, () => resolve(name), listening);
      video.addEventListener("error", () => resolve("error"), listening);
      signal?.addEventListener("abort", () => resolve("abort"), listening);
      start();
    });
  } finally {
    done.abort();
  }
}
