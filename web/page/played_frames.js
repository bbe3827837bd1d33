/** @typedef {import("../src/index.js").Frame} Frame */
/** @typedef {import("../src/index.js").ImageResult} ImageResult */

/** Results that are kept for showing them again: five minutes at 30 frames per second. */
const MAX_KEPT = 9000;

/** The frames of a video file as it is played: each is predicted once, and its result is shown again
 * when the user goes back. */
export class PlayedFrames {
  /** Called with the result of a frame that is shown again. @type {(result: ImageResult) => void} */
  onAgain = () => {};
  /** @type {ImageResult[]} */
  #results = [];
  #video;
  #signal;

  /** @param {HTMLVideoElement} video @param {AbortSignal} signal Ends the frames. */
  constructor(video, signal) {
    this.#video = video;
    this.#signal = signal;
  }

  /** Keep the result of a frame. @param {ImageResult} result */
  keep(result) {
    this.#results.push(result);
    if (this.#results.length > MAX_KEPT) this.#results.shift();
  }

  /**
   * Yield the frames that were not shown before, in the order of time; also after a jump.
   * @returns {AsyncGenerator<Frame>}
   */
  async *[Symbol.asyncIterator]() {
    let last = -Infinity;
    while (!this.#signal.aborted) {
      const time_s = await this.#nextTime();
      if (time_s === null) return;
      if (time_s > last) {
        last = time_s;
        yield { image: this.#video, time_s };
      } else this.#showAgain(time_s);
    }
  }

  /** @param {number} timeS */
  #showAgain(timeS) {
    const distance = (/** @type {ImageResult} */ { time_s = 0 }) => Math.abs(time_s - timeS);
    const [first, ...others] = this.#results;
    if (!first) return;
    this.onAgain(
      others.reduce((best, one) => (distance(one) < distance(best) ? one : best), first),
    );
  }

  /** The time of the next frame that the video shows; null at the end. @returns {Promise<number | null>} */
  #nextTime() {
    return new Promise((resolve) => {
      const end = () => {
        this.#video.cancelVideoFrameCallback(request);
        resolve(null);
      };
      const request = this.#video.requestVideoFrameCallback((_, { mediaTime }) => {
        this.#signal.removeEventListener("abort", end);
        resolve(mediaTime);
      });
      this.#signal.addEventListener("abort", end, { once: true });
    });
  }
}
