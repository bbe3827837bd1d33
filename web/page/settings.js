import { append, byId, setText } from "../../src/emopy/live/present/elements.js";
import { COLORS } from "../../src/emopy/live/present/colors.js";
import { ALL_EMOTIONS, STANDARD_EMOTIONS } from "../src/index.js";

/**
 * @typedef {{emotions: string[], prior: "tempered" | "training" | "uniform", minConfidence: number}}
 *   Settings
 * What a prediction is asked for, as the arguments of `FERModel`.
 */

/** What the user asks for: emotions, "not sure", prior and model. */
export class SettingsPanel {
  /** Called with the new settings. @type {(settings: Settings) => void} */
  onChange = () => {};
  /** Called with the name of the model. @type {(model: string) => void} */
  onModel = () => {};
  /** @type {Map<string, HTMLInputElement>} */
  #choices = new Map();
  #minConfidence = /** @type {HTMLInputElement} */ (byId("min-confidence"));
  #prior = /** @type {HTMLSelectElement} */ (byId("prior"));
  #model = /** @type {HTMLSelectElement} */ (byId("model"));

  constructor() {
    const choices = append("div", "choices", byId("emotions"));
    for (const emotion of ALL_EMOTIONS) {
      const label = append("label", "", choices);
      label.style.setProperty("--color", COLORS[emotion]);
      const input = append("input", "", label);
      input.type = "checkbox";
      input.checked = STANDARD_EMOTIONS.includes(emotion);
      input.setAttribute("aria-describedby", "emotions-hint");
      label.append(emotion);
      input.addEventListener("change", () => this.#keepTwo(input));
      this.#choices.set(emotion, input);
    }
    this.#minConfidence.addEventListener("input", () => {
      const text = `${this.#minConfidence.value} %`;
      setText(byId("min-confidence-value"), text);
      this.#minConfidence.setAttribute("aria-valuetext", text);
      this.onChange(this.settings);
    });
    this.#prior.addEventListener("change", () => this.onChange(this.settings));
    this.#model.addEventListener("change", () => this.onModel(this.model));
  }

  /** @returns {Settings} */
  get settings() {
    return {
      emotions: [...this.#choices].filter(([, input]) => input.checked).map(([emotion]) => emotion),
      prior: /** @type {Settings["prior"]} */ (this.#prior.value),
      minConfidence: Number(this.#minConfidence.value) / 100,
    };
  }

  /** Name of the model. */
  get model() {
    return this.#model.value;
  }

  /** Check an emotion again where fewer than two would be left. @param {HTMLInputElement} input */
  #keepTwo(input) {
    if (this.settings.emotions.length < 2) input.checked = true;
    else this.onChange(this.settings);
  }
}
