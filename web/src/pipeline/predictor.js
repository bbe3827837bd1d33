/** `Predictor`: detector and model in this thread, for images in memory; runs in Node too. */

import { alignFace } from "../faces/alignment.js";
import { MTCNN } from "../faces/mtcnn.js";
import { RUNTIMES } from "../models/files.js";
import { loadDetector, loadModel, openRuntime } from "../models/store.js";
import { toResult } from "../types.js";
import { Classifier } from "./classifier.js";
import { SMOOTHING_S } from "./smoothing.js";
import { VideoPredictor } from "./video.js";

/** @typedef {import("../media/pixels.js").Pixels} Pixels */
/** @typedef {import("../models/store.js").FileReader} FileReader */
/** @typedef {import("../models/store.js").LoadedModel} LoadedModel */
/** @typedef {import("../types.js").ImageResult} ImageResult */
/** @typedef {import("./classifier.js").ClassifierSettings} ClassifierSettings */

/**
 * Settings of `Predictor.load`.
 *
 * @typedef {ClassifierSettings & {minFaceSize?: number | null, runtime?: string}} PredictorSettings
 * The runtime is the WebAssembly module of ONNX Runtime, by its path in the package: by default the
 * one for the models of the package.
 */

/** Predicts images and videos in this thread. Calls must not overlap. */
export class Predictor {
  /**
   * @param {LoadedModel} model
   * @param {MTCNN} detector
   * @param {ClassifierSettings} settings
   */
  constructor(model, detector, settings) {
    this._model = model;
    this._settings = settings;
    this._detector = detector;
    this._classifier = new Classifier(model, settings);
  }

  /**
   * Load the runtime, the detector and a model.
   *
   * @param {{package: FileReader, model: FileReader}} read Read the files of the package, and those
   *   of the model folder.
   * @param {PredictorSettings} [settings]
   * @returns {Promise<Predictor>}
   * @throws {EmoPyError} A bad setting, or a file that is missing or damaged.
   */
  static async load(read, { minFaceSize, runtime = RUNTIMES.bundled, ...settings } = {}) {
    await openRuntime(read.package, runtime);
    const networks = await loadDetector(read.package);
    return new Predictor(
      await loadModel(read.model),
      new MTCNN(networks, { minFaceSize }),
      settings,
    );
  }

  /** The labels of all results: as they were asked for, in the same order. */
  get labels() {
    return this._classifier.labels;
  }

  /** The card of the model. */
  get card() {
    return this._model.card;
  }

  /** What turns crops into predictions now. */
  get classifier() {
    return this._classifier;
  }

  /**
   * Change emotions, prior, `minConfidence` or `views`; settings that are not named stay.
   *
   * @param {ClassifierSettings} changes
   */
  configure(changes) {
    const settings = { ...this._settings, ...changes };
    this._classifier = new Classifier(this._model, settings);
    this._settings = settings;
  }

  /**
   * Predict the expression of every face in one image.
   *
   * @param {Pixels} image
   * @param {string} source Name of the image in the result.
   * @returns {Promise<ImageResult>}
   */
  async predict(image, source) {
    const faces = await this._detector.detect(image);
    const crops = faces.map((face) => alignFace(image, face, this.card.input));
    const { width, height } = image;
    return toResult({ source, width, height }, faces, await this._classifier.predict(crops));
  }

  /**
   * Start a video: its frames are then predicted in the order of time.
   *
   * @param {string} source Name of the video in the results.
   * @param {{smoothingS?: number, keyframeS?: number, lastTrack?: number}} [settings] The last one
   *   is the number before that of the first track.
   * @returns {VideoPredictor}
   * @throws {InputError} A setting out of range.
   */
  openVideo(source, { smoothingS = SMOOTHING_S, keyframeS, lastTrack } = {}) {
    const settings = { source, smoothingS, keyframeS, lastTrack };
    return new VideoPredictor(this, this._detector, settings);
  }
}
