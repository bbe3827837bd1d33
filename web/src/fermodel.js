/** `FERModel`: predict the expression of every face in an image or a video. */

import { InputError, ModelNotFoundError, nearest } from "./errors.js";
import { framesOf } from "./media/frames.js";
import { describeSource, takeImage, transferOf } from "./media/sources.js";
import { DEFAULT_MODEL, RUNTIMES, modelURLs, runtimeOf, sharedURLs } from "./models/files.js";
import { Unanswered, WorkerClient } from "./worker_client.js";

/** @typedef {import("./models/fetch.js").Progress} Progress */
/** @typedef {import("./media/frames.js").Frame} Frame */
/** @typedef {import("./media/frames.js").FrameSettings} FrameSettings */
/** @typedef {import("./media/frames.js").VideoSource} VideoSource */
/** @typedef {import("./media/sources.js").ImageSource} ImageSource */
/** @typedef {import("./models/card.js").ModelCard} ModelCard */
/** @typedef {import("./pipeline/classifier.js").ClassifierSettings} ClassifierSettings */
/** @typedef {import("./types.js").ImageResult} ImageResult */

/**
 * Settings of `FERModel.load`, besides emotions, prior, minConfidence and views.
 *
 * @typedef {object} LoadSettings
 * @property {string | URL} [model] Name of a model, or URL of a folder with card.json and model.onnx.
 * @property {number | null} [minFaceSize] Smallest side of a face in pixels, 12 or more; null
 *   searches in two passes, as the Python package does.
 * @property {number} [maxPixels] Largest width × height of an image.
 * @property {string | URL | null} [files] URL of a folder with the files of the package, where they
 *   are not beside the module.
 * @property {(progress: Progress) => void} [onProgress] Called while files arrive.
 */

/**
 * Settings of `FERModel.predictVideo`.
 *
 * @typedef {object} VideoSettings
 * @property {number} [smoothingS] Time constant of the smoothing in seconds; 0 is off.
 * @property {number} [keyframeS] Seconds between searches of the full image; faces that are known
 *   are refined in between.
 * @property {string} [source] Name of the video in the results.
 */

/** Settings that `configure` takes, and that `load` passes to the classifier. */
const CLASSIFIER_SETTINGS = ["emotions", "prior", "minConfidence", "views"];
const LOAD_SETTINGS = [
  ...CLASSIFIER_SETTINGS,
  "model",
  "minFaceSize",
  "maxPixels",
  "files",
  "onProgress",
];

/** @typedef {Frame & Awaited<ReturnType<typeof takeImage>>} TakenFrame */

/**
 * What `load` was asked for.
 *
 * @typedef {object} LoadOptions
 * @property {string} runtime The module of ONNX Runtime, by its path in the package.
 * @property {Record<string, string>} modelFiles URLs of the files of the model.
 * @property {string | URL | null} files
 * @property {((progress: Progress) => void) | undefined} onProgress
 * @property {number | undefined} maxPixels
 * @property {ClassifierSettings & {minFaceSize?: number | null}} settings
 */

/**
 * Predicts facial expressions in images and videos. No image leaves the page: a worker of this page
 * detects the faces and runs the model.
 *
 * @example
 * const model = await FERModel.load({ emotions: ["calm", "anger", "happiness"] });
 * for (const face of (await model.predict(file)).faces) {
 *   console.log(face.box, face.emotion, face.confidence);
 * }
 * for await (const result of model.predictVideo(camera)) console.log(result.time_s, result.faces);
 */
export class FERModel {
  /**
   * Use `FERModel.load`.
   *
   * @param {LoadOptions} options
   */
  constructor(options) {
    this._options = options;
    this._videos = 0;
    /** What open videos were opened with, by their number. @type {Map<number, object>} */
    this._openVideos = new Map();
    /** Why requests are refused from now on. @type {Error | null} */
    this._ended = null;
    /** The answer to `load` of the second worker. @type {Promise<object> | null} */
    this._restarted = null;
    /** The labels of all results: as they were asked for, in the same order. @type {string[]} */
    this.labels = [];
    /** The card of the model. @type {ModelCard} */
    this.card = /** @type {any} */ (null);
    this._client = new WorkerClient(options.onProgress);
  }

  /**
   * Load the detector and a model, and start the worker.
   *
   * @param {ClassifierSettings & LoadSettings} [settings]
   * @returns {Promise<FERModel>}
   * @throws {LabelError} Unknown, repeated or fewer than two labels.
   * @throws {InputError} A bad setting.
   * @throws {ModelNotFoundError} No such model, or a file that is not there.
   * @throws {ModelError} A damaged file.
   */
  static async load(settings = {}) {
    checkNames(settings, LOAD_SETTINGS);
    const { model = DEFAULT_MODEL, files = null, onProgress, minFaceSize, maxPixels } = settings;
    const loaded = new FERModel({
      runtime: runtimeOf(model),
      modelFiles: modelURLs(model, files),
      files,
      onProgress,
      maxPixels,
      settings: { ...pick(settings, CLASSIFIER_SETTINGS), minFaceSize },
    });
    try {
      Object.assign(loaded, await loaded._call("load", loaded._loadRequest()));
    } catch (error) {
      loaded.close();
      throw error;
    }
    return loaded;
  }

  /**
   * Change emotions, prior, `minConfidence` or `views`; settings that are not named stay.
   *
   * @param {ClassifierSettings} changes
   * @throws {EmoPyError} As `load`.
   */
  async configure(changes) {
    checkNames(changes, CLASSIFIER_SETTINGS);
    const picked = pick(changes, CLASSIFIER_SETTINGS);
    Object.assign(this, await this._call("configure", picked));
    Object.assign(this._options.settings, picked);
  }

  /**
   * Predict the expression of every face in one image.
   *
   * @param {ImageSource} image A file is decoded and turned upright; a video or canvas gives what it
   *   shows now.
   * @param {{source?: string}} [settings] Name of the image in the result.
   * @returns {Promise<ImageResult>} Faces largest first; no face is an empty list, not an error.
   * @throws {InputError} The image cannot be decoded.
   */
  async predict(image, { source = describeSource(image) } = {}) {
    const taken = await takeImage(image);
    return this._call("predict", { image: taken.image, source }, taken.transfer);
  }

  /**
   * Predict the expressions in a video or camera, frame by frame, with tracks and smoothing.
   *
   * @param {VideoSource} video A video element or camera gives the frames that it shows while the
   *   loop runs; a file gives `fps` frames per second; frames come from any iterable.
   * @param {VideoSettings & FrameSettings} [settings]
   * @returns {AsyncGenerator<ImageResult>} One result per frame, with `time_s`, `frame`, and the same
   *   `track` for the same person.
   * @throws {InputError} No video, a frame that cannot be decoded, or a bad setting.
   */
  async *predictVideo(
    video,
    { smoothingS, keyframeS, source = describeSource(video), ...settings } = {},
  ) {
    const number = ++this._videos;
    const opened = { video: number, source, settings: { smoothingS, keyframeS, lastTrack: 0 } };
    await this._call("openVideo", opened);
    this._openVideos.set(number, opened);
    const end = new AbortController();
    const signal = AbortSignal.any([end.signal, ...(settings.signal ? [settings.signal] : [])]);
    const frames = framesOf(video, { ...settings, signal });
    // The next frame is taken while the worker predicts this one.
    let next = this._takeFrame(frames);
    try {
      for (let taken = await next; taken; taken = await next) {
        const { image, transfer, time_s, number: index } = taken;
        const request = { video: number, image, timeS: time_s, number: index };
        const result = this._call("predictFrame", request, transfer);
        next = this._takeFrame(frames);
        next.catch(() => {}); // thrown when it is awaited, also if the loop ends before
        const answer = await result;
        const tracks = answer.faces.map((/** @type {{track: number}} */ face) => face.track);
        opened.settings.lastTrack = Math.max(opened.settings.lastTrack, ...tracks);
        yield answer;
      }
    } finally {
      end.abort();
      next.then(closeFrame, () => {});
      frames.return(undefined).catch(() => {});
      this._openVideos.delete(number);
      if (!this._ended) await this._call("closeVideo", { video: number }).catch(() => {});
    }
  }

  /** Stop the worker and free its memory. Requests that are not answered yet fail. */
  close() {
    this._end(
      new InputError("The model must be open. Received a model that was closed. Load it again."),
    );
  }

  /**
   * @param {AsyncGenerator<Frame>} frames
   * @returns {Promise<TakenFrame | null>} null at the end of the video.
   */
  async _takeFrame(frames) {
    const { value, done } = await frames.next();
    return done ? null : { ...value, ...(await takeImage(value.image)) };
  }

  /**
   * Send a request. Where ONNX Runtime stops, it is started once more with all of its functions, and
   * the request is repeated.
   *
   * @param {string} method
   * @param {object} request
   * @param {Transferable[]} [transfer]
   * @returns {Promise<any>}
   */
  async _call(method, request, transfer = []) {
    if (this._ended) throw this._ended;
    try {
      return await this._client.call(method, request, transfer);
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      if (this._options.runtime === RUNTIMES.all) throw error.error;
      this._restarted ??= this._restart(error.error);
      const loaded = await this._restarted;
      return method === "load" ? loaded : this._repeat(method, error.request);
    }
  }

  /** @param {string} method @param {object} request */
  async _repeat(method, request) {
    try {
      return await this._client.call(method, request, transferOf(request));
    } catch (error) {
      throw error instanceof Unanswered ? error.error : error;
    }
  }

  /**
   * Continue with another worker, which has all of ONNX Runtime. Videos that are open start anew there,
   * with other track numbers.
   *
   * @param {Error} reason Why it is needed; thrown where it does not succeed.
   * @returns {Promise<object>} What `load` answers.
   */
  async _restart(reason) {
    const [first, second] = [this._client, new WorkerClient(this._options.onProgress)];
    try {
      const loaded = await second.call("load", this._loadRequest(RUNTIMES.all));
      for (const opened of this._openVideos.values()) await second.call("openVideo", opened);
      if (this._ended) throw this._ended;
      this._client = second;
      await first.answered();
      return loaded;
    } catch (error) {
      second.end(reason);
      // Without that module on the server, what happened before is what matters.
      const cause = error instanceof Unanswered ? error.error : error;
      throw this._ended ?? (cause instanceof ModelNotFoundError ? reason : cause);
    } finally {
      first.end(reason);
    }
  }

  /** @param {string} [runtime] The module of ONNX Runtime, by its path in the package. */
  _loadRequest(runtime = this._options.runtime) {
    const { modelFiles, files, maxPixels, settings } = this._options;
    return {
      files: sharedURLs(files, runtime),
      modelFiles,
      maxPixels,
      settings: { ...settings, runtime },
    };
  }

  /** @param {Error} reason */
  _end(reason) {
    this._ended ??= reason;
    this._client.end(this._ended);
  }
}

/**
 * Free a frame that was taken but not sent.
 *
 * @param {TakenFrame | null} taken
 */
function closeFrame(taken) {
  if (taken && "close" in taken.image && taken.transfer.length) taken.image.close();
}

/**
 * @param {object} settings
 * @param {readonly string[]} known
 */
function checkNames(settings, known) {
  for (const name of Object.keys(settings)) {
    if (!known.includes(name)) {
      throw new InputError(`\`${name}\` must be a setting. Leave it out. ${nearest(name, known)}`);
    }
  }
}

/**
 * @param {Record<string, any>} settings
 * @param {readonly string[]} names
 * @returns {ClassifierSettings}
 */
function pick(settings, names) {
  const given = names.filter((name) => settings[name] !== undefined);
  const copied = Object.fromEntries(given.map((name) => [name, settings[name]]));
  // Any iterable is accepted; only arrays can be sent to the worker.
  const { emotions } = copied;
  if (typeof emotions === "object" && emotions?.[Symbol.iterator]) copied.emotions = [...emotions];
  return copied;
}
