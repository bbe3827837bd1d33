const AVERAGED_MS = 2000;

/** Frames per second over the last two seconds. */
export class FrameRate {
  /** @type {number[]} */
  #times = [];

  /** Count a frame that is ready now, and return the rate; 0 after the first. */
  update(now = performance.now()) {
    this.#times.push(now);
    while (now - this.#times[0] > AVERAGED_MS) this.#times.shift();
    const spanMs = now - this.#times[0];
    return spanMs > 0 ? (1000 * (this.#times.length - 1)) / spanMs : 0;
  }
}
