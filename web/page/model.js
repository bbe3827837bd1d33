import { byId, setText } from "../../src/emopy/live/present/elements.js";
import { FERModel } from "../src/index.js";
import { byteCount } from "./time_text.js";

/** @typedef {import("./settings.js").Settings} Settings */

/** Loads the model, and shows how far that is, in bytes. */
export class ModelLoader {
  #bar = /** @type {HTMLProgressElement} */ (byId("loading-bar"));
  #text = byId("loading-text");
  #ready;

  /** @param {Promise<void>} ready When files can be loaded. */
  constructor(ready) {
    this.#ready = ready;
  }

  /**
   * @param {string} name @param {Settings} settings
   * @returns {Promise<FERModel>}
   */
  async load(name, settings) {
    document.body.dataset.model = "loading";
    this.#bar.removeAttribute("value");
    setText(this.#text, "Loading the model");
    await this.#ready;
    try {
      const model = await FERModel.load({
        model: name,
        ...settings,
        onProgress: ({ loaded, total }) => this.#show(loaded, total),
      });
      document.body.dataset.model = "ready";
      return model;
    } catch (error) {
      document.body.dataset.model = "failed";
      throw error;
    }
  }

  /** @param {number} loaded @param {number} total Bytes; 0 where it is not known. */
  #show(loaded, total) {
    if (total) [this.#bar.max, this.#bar.value] = [total, Math.min(loaded, total)];
    const of = total ? ` of ${byteCount(total)}` : "";
    setText(this.#text, `Loading the model: ${byteCount(loaded)}${of}`);
  }
}
