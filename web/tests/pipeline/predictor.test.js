import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { pixels } from "../../src/media/pixels.js";
import { RUNTIMES } from "../../src/models/files.js";
import { Predictor } from "../../src/pipeline/predictor.js";
import { DIST, readPNG, readerOf } from "../node_files.js";

const skip = !existsSync(DIST) && "the package is not built: type make web";
const SAMPLE = fileURLToPath(
  new URL("../../../src/emopy/samples/images/happiness.png", import.meta.url),
);
const gray = pixels(new Uint8Array(64 * 48 * 3).fill(128), 64, 48);

/** @param {import("../../src/pipeline/predictor.js").PredictorSettings} [settings] */
function load(settings, model = "emopy-tiny") {
  return Predictor.load(
    { package: readerOf(DIST), model: readerOf(join(DIST, "models", model)) },
    settings,
  );
}

test("labels come back as typed, and change without loading again", { skip }, async () => {
  const predictor = await load({ emotions: ["joy", "calm"] });
  const image = await readPNG(SAMPLE);
  const [face] = (await predictor.predict(image, "a")).faces;
  assert.deepEqual([face.emotion, ...Object.keys(face.probabilities)], ["joy", "joy", "calm"]);
  predictor.configure({ emotions: "all", minConfidence: 1 });
  const [unsure] = (await predictor.predict(image, "a")).faces;
  assert.equal(unsure.emotion, null);
  assert.equal(Object.keys(unsure.probabilities).length, 8);
  assert.throws(() => predictor.configure({ emotions: ["joy"] }), { name: "LabelError" });
  assert.equal(predictor.labels.length, 8);
  predictor.configure({ prior: { happiness: 0, sadness: 1 }, emotions: ["sadness", "happiness"] });
  assert.equal((await predictor.predict(image, "a")).faces[0].probabilities.happiness, 0);
});

test("the content of the WebAssembly file is freed when it is compiled", { skip }, async () => {
  const read = readerOf(DIST);
  /** @type {Record<string, Uint8Array>} */
  const files = {};
  const kept = async (/** @type {string} */ name) => (files[name] = await read(name));
  await Predictor.load({ package: kept, model: readerOf(join(DIST, "models", "emopy-tiny")) });
  const { [RUNTIMES.bundled]: runtime, "models/mtcnn/onet.onnx": onet } = files;
  assert.equal(runtime.byteLength, 0);
  assert.ok(onet.byteLength > 0);
});

test("an image without a face has no faces", { skip }, async () => {
  const result = await (await load()).predict(gray, "gray");
  assert.deepEqual(result, { source: "gray", width: 64, height: 48, faces: [], error: null });
});

test("an image has the same faces before and after images of other sizes", { skip }, async () => {
  const predictor = await load();
  const image = await readPNG(SAMPLE);
  const half = pixels(image.data.subarray(0, image.data.length / 2), image.width, image.height / 2);
  const first = await predictor.predict(image, "a");
  for (const other of [gray, half, gray]) await predictor.predict(other, "b");
  assert.deepEqual(await predictor.predict(image, "a"), first);
  assert.equal(first.faces.length, 1);
});

test("a video has times, frame numbers and tracks", { skip }, async () => {
  const video = (await load()).openVideo("clip");
  const image = await readPNG(SAMPLE);
  const results = [await video.predict(image, 0, 0), await video.predict(image, 0.04, 1)];
  assert.deepEqual(
    results.map(({ time_s, frame, faces }) => [time_s, frame, faces[0].track]),
    [
      [0, 0, 1],
      [0.04, 1, 1],
    ],
  );
});

test("two views are the mean of a crop and its mirror image", { skip }, async () => {
  const predictor = await load({ emotions: "all", prior: "training" });
  const crop = pixels(new Uint8Array(48 * 48 * 3), 48, 48);
  const mirrored = pixels(new Uint8Array(48 * 48 * 3), 48, 48);
  for (let i = 0; i < 48 * 48 * 3; i++) {
    const x = Math.floor(i / 3) % 48;
    crop.data[i] = (5 * x + i / 144) % 256;
    mirrored.data[i + 3 * (47 - 2 * x)] = crop.data[i];
  }
  const both = [crop, mirrored];
  const [one, other] = (await predictor.classifier.predict(both)).map((p) => p.probabilities);
  const products = one.map((value, i) => Math.sqrt(value * other[i]));
  const sum = products.reduce((total, value) => total + value, 0);
  predictor.configure({ views: 2 });
  for (const { probabilities } of await predictor.classifier.predict(both)) {
    probabilities.forEach((p, i) => assert.ok(Math.abs(p - products[i] / sum) < 1e-4));
  }
  assert.ok(Math.abs(one[0] - other[0]) > 1e-3);
});

test("bad settings are refused", { skip }, async () => {
  await assert.rejects(load({ minConfidence: 2 }), {
    name: "InputError",
    message: /minConfidence.*Received 2/,
  });
  await assert.rejects(load({ views: 3 }), { name: "InputError", message: /views.*Received 3/ });
  await assert.rejects(load({ minFaceSize: 8 }), { name: "InputError", message: /12 or more/ });
  await assert.rejects(load({ prior: "even" }), { name: "InputError" });
});

test(
  "weights of another model, damaged weights and a damaged network are refused",
  { skip },
  async () => {
    const read = readerOf(DIST);
    const [base, tiny] = ["emopy-base", "emopy-tiny"].map((model) =>
      readerOf(join(DIST, "models", model)),
    );
    const mixed = (/** @type {string} */ name) => (name === "card.json" ? tiny : base)(name);
    await assert.rejects(Predictor.load({ package: read, model: mixed }), {
      name: "ModelError",
      message: /another SHA-256/,
    });
    const cut = async (/** @type {string} */ name) => {
      const content = await read(name);
      return name.endsWith("rnet.onnx") ? content.slice(0, 1000) : content;
    };
    await assert.rejects(Predictor.load({ package: cut, model: tiny }), {
      name: "ModelError",
      message: /sound ONNX file. Received rnet\.onnx/,
    });
    const clips = async (/** @type {string} */ name) => {
      const content = await tiny(name);
      if (name !== "card.json") return content;
      return new TextEncoder().encode(
        new TextDecoder().decode(content).replace('"frames": 1', '"frames": 4'),
      );
    };
    await assert.rejects(Predictor.load({ package: read, model: clips }), {
      message: /takes clips of 4 frames/,
    });
  },
);
