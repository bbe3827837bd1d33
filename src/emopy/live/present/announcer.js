import { setText } from "./elements.js";

const INTERVAL_MS = 3000;

/** Says what changes to people with a screen reader: every few seconds, and only what is new. */
export class Announcer {
  #element;
  #time = -Infinity;

  /** @param {Element} element With `role="status"`. */
  constructor(element) {
    this.#element = element;
  }

  /** Say something now. @param {string} text */
  say(text) {
    this.#time = performance.now();
    setText(this.#element, text);
  }

  /** Say what is seen now, unless something was said a moment ago. @param {string} text */
  update(text) {
    if (performance.now() - this.#time >= INTERVAL_MS) this.say(text);
  }
}
