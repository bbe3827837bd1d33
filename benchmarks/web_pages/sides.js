/**
 * The libraries that are compared, each behind the same functions.
 *
 * @typedef {{left: number, top: number, right: number, bottom: number, emotion: string | null}} Face
 *
 * @typedef {object} Side
 * @property {(canvas: HTMLCanvasElement) => Promise<Face[]>} predict Faces of one image; nothing is
 *   kept from the image before.
 */

const WASM_FILES = "/peers/@tensorflow/tfjs-backend-wasm/dist/";

/** @type {Record<string, () => Promise<Side>>} */
export const SIDES = {
  "emopy-base": () => loadEmoPy("emopy-base"),
  "emopy-tiny": () => loadEmoPy("emopy-tiny"),
  human: () => loadHuman({ mesh: false }),
  "human with its mesh": () => loadHuman({ mesh: true }),
  "face-api": loadFaceAPI,
};

/** @param {string} name @returns {Promise<Side>} */
async function loadEmoPy(name) {
  const { FERModel } = await import("/package/emopy.js");
  const model = await FERModel.load({ model: name });
  return {
    async predict(canvas) {
      const { faces } = await model.predict(canvas);
      return faces.map((face) => ({ ...face.box, emotion: face.emotion }));
    },
  };
}

/**
 * Faces and emotions only: everything else that Human can do is switched off.
 *
 * @param {{mesh: boolean}} settings Whether faces are aligned by the mesh.
 * @returns {Promise<Side>}
 */
async function loadHuman({ mesh }) {
  const { Human } = await import("/peers/@vladmandic/human/dist/human.esm.js");
  const off = { enabled: false };
  const human = new Human({
    backend: "wasm",
    wasmPath: WASM_FILES,
    modelBasePath: "/peers/@vladmandic/human/models/",
    cacheModels: false,
    face: {
      detector: { maxDetected: 10, rotation: mesh },
      mesh: { enabled: mesh },
      emotion: { minConfidence: 0 },
      ...{ iris: off, description: off, attention: off },
    },
    ...{ body: off, hand: off, object: off, gesture: off, segmentation: off },
  });
  await human.load();
  const once = {
    cacheSensitivity: 0,
    face: { detector: { skipTime: 0 }, emotion: { skipTime: 0 } },
  };
  return {
    async predict(canvas) {
      const { face } = await human.detect(canvas, once);
      return face.map(({ box: [left, top, width, height], emotion }) => ({
        ...{ left, top, right: left + width, bottom: top + height },
        emotion: best(emotion ?? []),
      }));
    },
  };
}

/** @returns {Promise<Side>} */
async function loadFaceAPI() {
  const faceapi = await import("/peers/@vladmandic/face-api/dist/face-api.esm.js");
  faceapi.tf.setWasmPaths(WASM_FILES);
  await faceapi.tf.setBackend("wasm");
  await faceapi.tf.ready();
  const models = "/peers/@vladmandic/face-api/model/";
  const { tinyFaceDetector, faceExpressionNet } = faceapi.nets;
  await Promise.all([tinyFaceDetector.loadFromUri(models), faceExpressionNet.loadFromUri(models)]);
  const detect = (/** @type {HTMLElement} */ input) =>
    faceapi.detectAllFaces(input, new faceapi.TinyFaceDetectorOptions()).withFaceExpressions();
  return {
    async predict(canvas) {
      return (await detect(canvas)).map(({ detection: { box }, expressions }) => ({
        ...{ left: box.left, top: box.top, right: box.right, bottom: box.bottom },
        emotion: expressions.asSortedArray()[0].expression,
      }));
    },
  };
}

/** @param {{score: number, emotion: string}[]} emotions @returns {string | null} */
function best(emotions) {
  return emotions.reduce((most, one) => (one.score > most.score ? one : most), {
    score: 0,
    emotion: null,
  }).emotion;
}
