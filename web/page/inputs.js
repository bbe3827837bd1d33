import { append, byId, setText } from "../../src/emopy/live/present/elements.js";
import { ALL_EMOTIONS } from "../src/index.js";
import { listCameras } from "./sources.js";

/** The ways to open something: camera, file, drag and drop, paste, samples. */
export class Inputs {
  /** Called with an image or a video. @type {(file: File) => void} */
  onFile = () => {};
  /** Called with the URL and the name of a sample image. @type {(url: string, name: string) => void} */
  onSample = () => {};
  /** Called when the camera button is pressed. */
  onCamera = () => {};
  /** Called with the id of another camera. @type {(deviceId: string) => void} */
  onOtherCamera = () => {};
  #camera = byId("camera");
  #choice = byId("camera-choice");
  #cameras = /** @type {HTMLSelectElement} */ (this.#choice.querySelector("select"));

  constructor() {
    this.#camera.addEventListener("click", () => this.onCamera());
    this.#cameras.addEventListener("change", () => this.onOtherCamera(this.#cameras.value));
    const file = /** @type {HTMLInputElement} */ (byId("file"));
    byId("open").addEventListener("click", () => file.click());
    file.addEventListener("change", () => {
      this.#open(file.files);
      file.value = ""; // the same file can be chosen again
    });
    document.addEventListener("paste", (event) => this.#open(event.clipboardData?.files));
    for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
      document.addEventListener(type, (event) => this.#drag(/** @type {DragEvent} */ (event)));
    }
    for (const emotion of ALL_EMOTIONS) this.#createSample(emotion);
  }

  /**
   * Show that a camera is used.
   * @param {string | undefined} deviceId Which one.
   * @param {AbortSignal} signal Aborted when it is no longer used.
   */
  async showCamera(deviceId, signal) {
    this.#setButton("Stop camera", "#icon-stop");
    const cameras = await listCameras();
    if (signal.aborted) return;
    const options = cameras.map((camera, index) => {
      const isUsed = camera.deviceId === deviceId;
      return new Option(camera.label || `Camera ${index + 1}`, camera.deviceId, isUsed, isUsed);
    });
    this.#cameras.replaceChildren(...options);
    this.#choice.hidden = options.length < 2;
  }

  /** Show that no camera is used. */
  showNoCamera() {
    this.#setButton("Camera", "#icon-camera");
    this.#choice.hidden = true;
  }

  /** @param {string} text @param {string} icon */
  #setButton(text, icon) {
    setText(/** @type {Element} */ (this.#camera.querySelector("span")), text);
    this.#camera.querySelector("use")?.setAttribute("href", icon);
  }

  /** @param {FileList | null | undefined} files */
  #open(files) {
    if (files?.length) this.onFile(files[0]);
  }

  /** @param {DragEvent} event */
  #drag(event) {
    event.preventDefault();
    document.body.dataset.dragging = String(
      event.type === "dragenter" || event.type === "dragover",
    );
    if (event.type === "drop") this.#open(event.dataTransfer?.files);
  }

  /** @param {string} emotion */
  #createSample(emotion) {
    const button = append("button", "", append("li", "", byId("samples")));
    button.type = "button";
    const image = append("img", "", button);
    [image.src, image.alt] = [`samples/${emotion}.png`, `Sample: ${emotion}`];
    [image.width, image.height] = [72, 72];
    button.addEventListener("click", () => this.onSample(image.src, `${emotion}.png`));
  }
}
