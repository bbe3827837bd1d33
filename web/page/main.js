/** The page: wires what the user opens and chooses to the model and the views. */

import { Announcer } from "../../src/emopy/live/present/announcer.js";
import { colorsOf } from "../../src/emopy/live/present/colors.js";
import { annotatedImage } from "../../src/emopy/live/present/draw.js";
import { byId, setText } from "../../src/emopy/live/present/elements.js";
import { FaceCards } from "../../src/emopy/live/present/face_cards.js";
import { describe, faceCount } from "../../src/emopy/live/present/faces.js";
import { clock } from "./time_text.js";
import { Inputs } from "./inputs.js";
import { placeMenus } from "./menus.js";
import { ModelLoader } from "./model.js";
import { startOffline } from "./offline.js";
import { Openings } from "./openings.js";
import { PlayedFrames } from "./played_frames.js";
import { FrameRate } from "./rate.js";
import { Recording, fileName, saveFile } from "./recording.js";
import { SettingsPanel } from "./settings.js";
import {
  SourceError,
  closeVideo,
  isVideo,
  loadSample,
  openCamera,
  openImage,
  openVideo,
  play,
  showCamera,
  stopCamera,
} from "./sources.js";
import { Timeline } from "./timeline.js";
import { Viewer } from "./viewer.js";

/** @typedef {import("../src/index.js").FERModel} FERModel */
/** @typedef {import("../src/index.js").ImageResult} ImageResult */
/** @typedef {import("../src/index.js").VideoSource} VideoSource */

/** Shortest time between two changes of the list of faces, of a video that plays. */
const LIST_MS = 100;

const NOTHING_OPEN = "Open an image, a video or the camera.";

class Page {
  #viewer = new Viewer();
  #cards = new FaceCards(byId("faces"));
  #announcer = new Announcer(byId("status"));
  #settings = new SettingsPanel();
  #inputs = new Inputs();
  #timeline = new Timeline({
    section: byId("timeline"),
    tracks: byId("tracks"),
    legend: byId("legend"),
  });
  #loader = new ModelLoader(startOffline());
  /** @type {Promise<FERModel>} */
  #model;
  #recording = new Recording([]);
  /** What is shown now. @type {ImageResult | null} */
  #result = null;
  /** When the list of faces was last shown. */
  #listedMs = -Infinity;
  #source = "";
  /** @type {ImageBitmap | null} */
  #image = null;
  #openings = new Openings();
  /** Whether the video is paused because nobody sees it. */
  #isHeld = false;
  /** Ends what is predicted now. */
  #session = new AbortController();

  constructor() {
    this.#model = this.#load();
    this.#inputs.onFile = (file) => this.#run(() => this.#openFile(file));
    this.#inputs.onSample = (url, name) => this.#run(() => this.#openSample(url, name));
    this.#inputs.onCamera = () => this.#run(() => this.#toggleCamera());
    this.#inputs.onOtherCamera = (deviceId) => this.#run(() => this.#startCamera(deviceId));
    this.#settings.onChange = () => this.#run(() => this.#applySettings());
    this.#settings.onModel = () => this.#run(() => this.#changeModel());
    const labels = /** @type {HTMLSelectElement} */ (byId("labels"));
    this.#timeline.onSeek = (timeS) => this.#seek(timeS);
    labels.addEventListener("change", () => (this.#viewer.labels = labels.value));
    byId("dismiss").addEventListener("click", () => this.#showError(null));
    this.#viewer.video.addEventListener("pause", () => {
      setText(byId("stats"), "");
      this.#list();
    });
    document.addEventListener("visibilitychange", () => this.#pauseInBackground());
    this.#onSave("save-csv", ".csv", () => this.#recording.csv());
    this.#onSave("save-json", ".json", () => this.#recording.json());
    this.#onSave("save-image", "-faces.png", () => this.#annotated());
  }

  get #colors() {
    return colorsOf(this.#settings.settings.emotions);
  }

  // Images

  /** @param {File} file */
  async #openFile(file) {
    if (isVideo(file)) await this.#openVideo(file);
    else await this.#openImage(file, file.name);
  }

  /** @param {string} url @param {string} name */
  async #openSample(url, name) {
    await this.#openImage(loadSample(url, name), name);
  }

  /** @param {Blob | Promise<Blob>} file @param {string} name */
  async #openImage(file, name) {
    const open = async () => openImage(await file, name);
    const bitmap = await this.#openings.open(open, (late) => late.close());
    if (!bitmap) return;
    this.#close();
    [this.#image, this.#source] = [bitmap, name];
    this.#viewer.showImage(bitmap);
    await this.#predictImage();
  }

  async #predictImage() {
    const { signal } = this.#session;
    this.#describeSource(this.#viewer.canvas);
    const model = await this.#model;
    if (signal.aborted || !this.#image) return;
    const began = performance.now();
    const result = await model.predict(this.#image, { source: this.#source });
    if (signal.aborted) return;
    setText(byId("stats"), `${Math.round(performance.now() - began)} ms`);
    this.#recording = new Recording(model.labels);
    this.#show(result);
    this.#record(result);
    this.#announcer.say(`${faceCount(result.faces.length)}. ${describe(result.faces)}`);
  }

  // Videos and cameras

  /** @param {File} file */
  async #openVideo(file) {
    this.#close();
    this.#source = file.name;
    const { video } = this.#viewer;
    const opened = await this.#openings.open((signal) => openVideo(video, file, signal));
    if (!opened) return;
    this.#viewer.showVideo("video");
    await this.#predictFile();
  }

  /** Predict the open video file from its start, while it is played. */
  async #predictFile() {
    this.#session.abort();
    this.#session = new AbortController();
    const { signal } = this.#session;
    const { video } = this.#viewer;
    await this.#model;
    if (signal.aborted) return;
    const frames = new PlayedFrames(video, signal);
    frames.onAgain = (result) => this.#show(result);
    const predicting = this.#predictVideo(frames, (result) => frames.keep(result));
    video.currentTime = 0;
    await play(video);
    await predicting;
  }

  async #toggleCamera() {
    if (this.#viewer.mode === "camera") this.#close();
    else await this.#startCamera();
  }

  /** @param {string} [deviceId] */
  async #startCamera(deviceId) {
    const stream = await this.#openings.open(() => openCamera(deviceId), stopCamera);
    if (!stream) return;
    this.#close();
    this.#source = "camera";
    const { video } = this.#viewer;
    const shown = await this.#openings.open((signal) => showCamera(video, stream, signal));
    if (!shown) return;
    const { signal } = this.#session;
    const [track] = stream.getVideoTracks();
    const { facingMode, deviceId: used } = track.getSettings();
    this.#viewer.showVideo("camera", { isMirrored: facingMode !== "environment" });
    track.addEventListener("ended", () => {
      if (video.srcObject !== stream) return;
      this.#close();
      this.#showError("The camera was disconnected.");
    });
    await this.#inputs.showCamera(used, signal);
    if (signal.aborted) return;
    await this.#predictVideo(video);
  }

  /** @param {VideoSource} frames @param {(result: ImageResult) => void} [onResult] */
  async #predictVideo(frames, onResult = () => {}) {
    const { signal } = this.#session;
    this.#describeSource({
      width: this.#viewer.video.videoWidth,
      height: this.#viewer.video.videoHeight,
    });
    const model = await this.#model;
    if (signal.aborted) return;
    this.#recording = new Recording(model.labels);
    this.#timeline.reset(this.#colors);
    const rate = new FrameRate();
    try {
      for await (const result of model.predictVideo(frames, { source: this.#source, signal })) {
        if (signal.aborted) return;
        onResult(result);
        this.#show(result);
        this.#record(result);
        this.#timeline.add(result);
        this.#announcer.update(describe(result.faces));
        const shown = `${rate.update().toFixed(0)} frames per second`;
        setText(byId("stats"), this.#viewer.video.paused ? "" : shown);
      }
    } catch (error) {
      if (!signal.aborted) throw error; // else the model was closed, and another one continues
    }
  }

  /** Show a moment of a video file. @param {number} timeS */
  #seek(timeS) {
    if (this.#viewer.mode === "video") this.#viewer.video.currentTime = timeS;
  }

  /** A video that plays unseen would be predicted with gaps. */
  #pauseInBackground() {
    const { video } = this.#viewer;
    if (document.hidden) {
      this.#isHeld = this.#viewer.mode === "video" && !video.paused;
      if (this.#isHeld) video.pause();
    } else if (this.#isHeld) {
      this.#isHeld = false;
      play(video).catch((error) => this.#showError(error));
    }
  }

  // Results

  /** @param {{width: number, height: number}} size */
  #describeSource({ width, height }) {
    setText(byId("source"), `${this.#source} · ${width} × ${height}`);
    setText(byId("stats"), "");
  }

  /** @param {ImageResult} result */
  #show(result) {
    this.#result = result;
    const { faces } = result;
    this.#viewer.draw(result, this.#colors);
    if (this.#viewer.video.paused || performance.now() - this.#listedMs >= LIST_MS) this.#list();
    setText(byId("found"), faces.length ? faceCount(faces.length) : "Faces");
    setText(byId("none"), "No face found.");
    byId("none").hidden = faces.length > 0;
  }

  /** Show the faces in the list; their layout takes longer than their boxes. */
  #list() {
    this.#listedMs = performance.now();
    this.#cards.show(this.#result?.faces ?? [], this.#colors);
  }

  /** Keep a result for the files. @param {ImageResult} result */
  #record(result) {
    this.#recording.add(result);
    const { count } = this.#recording;
    const frames = `${count.toLocaleString("en")} ${count === 1 ? "frame" : "frames"}`;
    const { time_s: timeS } = result;
    setText(byId("recorded"), timeS === undefined ? "" : `${frames}, until ${clock(timeS)}.`);
    this.#setSaving(true);
  }

  /** @param {boolean} isPossible */
  #setSaving(isPossible) {
    /** @type {HTMLButtonElement} */ (byId("open-save")).disabled = !isPossible;
    if (!isPossible) byId("save").hidePopover();
  }

  /** @param {string} id @param {string} ending @param {() => Promise<Blob>} content */
  #onSave(id, ending, content) {
    const save = async () => {
      saveFile(await content(), fileName(this.#source, ending));
      byId("save").hidePopover();
    };
    byId(id).addEventListener("click", () => this.#run(save));
  }

  /** The image that is shown now with its result, as a PNG file. */
  async #annotated() {
    const { mode, video, canvas } = this.#viewer;
    const image = mode === "image" ? canvas : await createImageBitmap(video);
    let result = this.#result;
    // The result on a moving image is that of a moment ago.
    if (!result || (mode !== "image" && !video.paused)) {
      result = await (await this.#model).predict(image, { source: this.#source });
    }
    return annotatedImage(image, result, this.#colors).convertToBlob({ type: "image/png" });
  }

  /** Stop what runs, and close the camera, video or image. */
  #close() {
    this.#openings.end();
    this.#isHeld = false;
    this.#session.abort();
    this.#session = new AbortController();
    closeVideo(this.#viewer.video);
    this.#image?.close();
    this.#image = this.#result = null;
    this.#timeline.reset(null);
    this.#list();
    this.#viewer.clear();
    this.#inputs.showNoCamera();
    setText(byId("found"), "Faces");
    setText(byId("none"), NOTHING_OPEN);
    byId("none").hidden = false;
    setText(byId("recorded"), "");
    this.#setSaving(false);
  }

  // Model and settings

  #load() {
    const model = this.#loader.load(this.#settings.model, this.#settings.settings);
    model.catch((error) => this.#showError(error));
    return model;
  }

  async #changeModel() {
    const last = this.#model;
    this.#model = this.#load();
    const model = await this.#model;
    const predicting = this.#predictAgain(model, true);
    (await last.catch(() => null))?.close();
    await predicting;
  }

  async #applySettings() {
    const model = await this.#model;
    const labels = model.labels.join();
    await model.configure(this.#settings.settings);
    await this.#predictAgain(model, labels !== model.labels.join());
  }

  /**
   * Predict what is open again.
   * @param {FERModel} model
   * @param {boolean} isOther Whether results no longer fit those before them: other labels, or
   *   another model.
   */
  async #predictAgain(model, isOther) {
    const { mode, video } = this.#viewer;
    if (mode === "image") await this.#predictImage();
    else if (mode === "camera" && isOther) {
      this.#session.abort();
      this.#session = new AbortController();
      await this.#predictVideo(video);
    } else if (mode === "video" && isOther) await this.#predictFile();
    else if (mode === "video" && video.paused) {
      this.#show(await model.predict(video, { source: this.#source }));
    }
  }

  /** Do what the user asked for; an error becomes a text. @param {() => Promise<void>} task */
  async #run(task) {
    this.#showError(null);
    try {
      await task();
    } catch (error) {
      this.#showError(error);
    }
  }

  /** @param {unknown} error A text or an error; null hides the last one. */
  #showError(error) {
    const notice = byId("error");
    notice.hidden = error === null;
    const text = error instanceof Error ? error.message : String(error ?? "");
    setText(/** @type {Element} */ (notice.querySelector("p")), text);
    if (error instanceof Error && !(error instanceof SourceError)) console.error(error);
  }
}

placeMenus();
new Page();
