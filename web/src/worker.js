/** The worker: detector and model run here, in a thread of their own. */

import { packError } from "./errors.js";
import { PixelReader } from "./media/canvas.js";
import { transferOf } from "./media/sources.js";
import { Downloads } from "./models/fetch.js";
import { whyStopped } from "./models/session.js";
import { Predictor } from "./pipeline/predictor.js";

/** @typedef {import("./media/sources.js").SentImage} SentImage */
/** @typedef {import("./pipeline/classifier.js").ClassifierSettings} ClassifierSettings */
/** @typedef {import("./pipeline/predictor.js").PredictorSettings} PredictorSettings */
/** @typedef {import("./pipeline/video.js").VideoPredictor} VideoPredictor */

/**
 * What is loaded: URLs of the files of runtime and detector, by their path in the package, and of the
 * model's two files, by name.
 *
 * @typedef {object} LoadRequest
 * @property {Record<string, string>} files
 * @property {Record<string, string>} modelFiles
 * @property {PredictorSettings} settings
 * @property {number} [maxPixels]
 */

/** @typedef {{smoothingS?: number, keyframeS?: number, lastTrack?: number}} VideoOptions */

/** @type {Predictor} */
let predictor;
let reader = new PixelReader();
/** @type {Map<number, VideoPredictor>} */
const videos = new Map();

const METHODS = {
  /** @param {LoadRequest} request */
  async load({ files, modelFiles, settings, maxPixels }) {
    const downloads = new Downloads((progress) => postMessage({ progress }));
    const read = { package: startAll(downloads, files), model: startAll(downloads, modelFiles) };
    reader = new PixelReader(maxPixels);
    predictor = await Predictor.load(read, settings);
    return { labels: predictor.labels, card: predictor.card };
  },

  /** @param {ClassifierSettings} changes */
  async configure(changes) {
    predictor.configure(changes);
    return { labels: predictor.labels };
  },

  /** @param {{image: SentImage, source: string}} request */
  async predict(request) {
    const { source } = request;
    return predictor.predict(await pixelsOf(request, source), source);
  },

  /** @param {{video: number, source: string, settings: VideoOptions}} request */
  async openVideo({ video, source, settings }) {
    videos.set(video, predictor.openVideo(source, settings));
  },

  /** @param {{video: number, image: SentImage, timeS: number, number: number}} request */
  async predictFrame(request) {
    const { video, timeS, number } = request;
    const opened = /** @type {VideoPredictor} */ (videos.get(video));
    return opened.predict(await pixelsOf(request, `frame ${number}`), timeS, number);
  },

  /** @param {{video: number}} request */
  async closeVideo({ video }) {
    videos.delete(video);
  },
};

/**
 * Read the image of a request. It is replaced by its pixels, so that the request can be repeated.
 *
 * @param {{image: SentImage}} request
 * @param {string} name For error messages.
 */
async function pixelsOf(request, name) {
  const pixels = await reader.read(request.image, name);
  request.image = pixels;
  return pixels;
}

/**
 * Start to download files.
 *
 * @param {Downloads} downloads
 * @param {Record<string, string>} urls By name.
 * @returns {import("./models/store.js").FileReader} Waits for one of them.
 */
function startAll(downloads, urls) {
  const started = new Map(
    Object.entries(urls).map(([name, url]) => [name, downloads.get(name, url)]),
  );
  for (const download of started.values()) download.catch(() => {}); // thrown when it is read
  return (name) => /** @type {Promise<Uint8Array<ArrayBuffer>>} */ (started.get(name));
}

/** Requests are answered one after the other: a session runs once at a time. */
let last = Promise.resolve();

addEventListener("message", (/** @type {MessageEvent} */ { data: { id, method, request } }) => {
  last = last.then(async () => {
    try {
      const stopped = whyStopped();
      if (stopped) throw stopped;
      const run = METHODS[/** @type {keyof typeof METHODS} */ (method)];
      postMessage({ id, result: await run(request) });
    } catch (error) {
      if (error === whyStopped()) giveBack(id, request, error);
      else postMessage({ id, error: packError(error) });
    }
  });
});

/**
 * Send a request back that another worker can answer, as ONNX Runtime stopped in this one.
 *
 * @param {number} id
 * @param {{image?: SentImage}} request
 * @param {unknown} error
 */
function giveBack(id, request, error) {
  const transfer = transferOf(request);
  postMessage({ id, error: packError(error), unanswered: request }, { transfer });
}
