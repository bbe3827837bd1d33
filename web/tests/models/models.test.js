import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { test } from "node:test";

import { pixels } from "../../src/media/pixels.js";
import { cardFromJSON } from "../../src/models/card.js";
import { Downloads } from "../../src/models/fetch.js";
import { RUNTIMES, modelURLs, runtimeOf, sharedURLs } from "../../src/models/files.js";
import { toTensor } from "../../src/models/preprocessing.js";
import { priorShift } from "../../src/models/prior.js";

const BUNDLED = new URL("../../../src/emopy/models/bundled/", import.meta.url);
const text = await readFile(new URL("emopy-base/card.json", BUNDLED), "utf-8");
const card = cardFromJSON(text, "card.json");
const labels = ["anger", "happiness", "neutral"];

test("the cards of the bundled models are accepted", async () => {
  assert.deepEqual([card.name, card.labels.length, card.input.height], ["emopy-base", 8, 48]);
  const tiny = await readFile(new URL("emopy-tiny/card.json", BUNDLED), "utf-8");
  assert.equal(cardFromJSON(tiny, "card.json").name, "emopy-tiny");
});

/** @type {[string, object, RegExp][]} */
const BROKEN = [
  ["another format", { format: 1 }, /"format": 2\. Received 1/],
  ["one label", { labels: ["anger"] }, /two or more different names/],
  ["two spellings of one label", { labels: ["happy", "joy"] }, /two or more different names/],
  ["probabilities", { output: "softmax" }, /must be 'logits'/],
  ["no temperature", { temperature: 0 }, /`temperature` must be a number of 0.01 to 100/],
  ["no input", { input: null }, /`input` must be a mapping/],
  ["a huge crop", { input: { ...card.input, height: 5000 } }, /`height` must be a whole number/],
  ["two channels", { input: { ...card.input, channels: 2 } }, /`channels` must be 1 or 3/],
  ["a margin that is text", { input: { ...card.input, margin: "0" } }, /`margin` must be a number/],
  ["a prior above 1", { training: { label_prior: { anger: 2 } } }, /label_prior/],
  ["no files", { files: null }, /`files` must be a mapping/],
  ["no name", { name: " " }, /`name` must be a name/],
];
for (const [name, changes, message] of BROKEN) {
  test(`a card with ${name} is refused`, () => {
    const broken = JSON.stringify({ ...card, ...changes });
    assert.throws(() => cardFromJSON(broken, "card.json"), { name: "ModelError", message });
  });
}

test("a card that is not JSON is refused", () => {
  for (const content of ["{", "null", "[]"]) {
    assert.throws(() => cardFromJSON(content, "card.json"), { name: "ModelError" });
  }
});

test("a crop becomes (pixel * scale - mean) / std of its gray level", () => {
  const data = Uint8Array.from([255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0]);
  const spec = {
    height: 2,
    width: 2,
    channels: 1,
    frames: 1,
    scale: 1 / 255,
    mean: 0.5,
    std: 0.25,
    margin: 0,
  };
  const tensor = toTensor([pixels(data, 2, 2)], spec);
  [255, 0, 76, 150].forEach((level, i) =>
    assert.ok(Math.abs(tensor[i] - (level / 255 - 0.5) / 0.25) < 1e-6),
  );
  const color = toTensor([pixels(data, 2, 2)], { ...spec, channels: 3 });
  assert.equal(color.length, 12);
});

test("the training prior changes nothing, a uniform one divides by it", () => {
  assert.deepEqual([...priorShift(card, labels, "training")], [0, 0, 0]);
  const known = labels.map((label) => card.training.label_prior?.[label] ?? NaN);
  const uniform = priorShift(card, labels, "uniform");
  uniform.forEach((shift, i) =>
    assert.ok(Math.abs(shift - (Math.log(1 / 3) - Math.log(known[i]))) < 1e-12),
  );
  const tempered = priorShift(card, labels, "tempered");
  tempered.forEach((shift, i) => assert.ok(Math.abs(shift + Math.log(known[i]) / 3) < 1e-12));
});

test("an own prior takes aliases and any scale; 0 never occurs", () => {
  const shift = priorShift(card, labels, { angry: 1, joy: 3, calm: 0 });
  const [anger, happiness] = ["anger", "happiness"].map((label) =>
    Math.log(card.training.label_prior?.[label] ?? NaN),
  );
  assert.ok(Math.abs(shift[0] - (Math.log(0.25) - anger)) < 1e-12);
  assert.ok(Math.abs(shift[1] - (Math.log(0.75) - happiness)) < 1e-12);
  assert.equal(shift[2], -Infinity);
});

/** @type {[any, RegExp][]} */
const BAD_PRIORS = [
  ["uniforms", /Did you mean 'uniform'/],
  [3, /Received 3/],
  [null, /Received null/],
  [{ anger: 1 }, /Received none for happiness, neutral/],
  [{ anger: 1, happines: 1, neutral: 1 }, /Received 'happines'.*Did you mean 'happiness'/],
  [{ anger: 0, happiness: 0, neutral: 0 }, /not all 0/],
  [{ anger: -1, happiness: 1, neutral: 1 }, /0 or more/],
];
for (const [prior, message] of BAD_PRIORS) {
  test(`the prior ${JSON.stringify(prior)} is refused`, () => {
    assert.throws(() => priorShift(card, labels, prior), { name: "InputError", message });
  });
}

test("a card without a label prior has the training prior only", () => {
  const plain = { ...card, training: {} };
  assert.deepEqual([...priorShift(plain, labels, "tempered")], [0, 0, 0]);
  assert.throws(() => priorShift(plain, labels, "uniform"), { name: "ModelError" });
});

test("models are found by name, by URL and in another folder", () => {
  assert.match(modelURLs("emopy-tiny", null)["card.json"], /models\/emopy-tiny\/card\.json$/);
  assert.equal(
    modelURLs("https://a.example/mine", null)["model.onnx"],
    "https://a.example/mine/model.onnx",
  );
  assert.equal(
    modelURLs("emopy-base", "https://a.example/emopy/")["card.json"],
    "https://a.example/emopy/models/emopy-base/card.json",
  );
  assert.equal(
    sharedURLs("https://a.example/emopy", RUNTIMES.all)["models/mtcnn/pnet.onnx"],
    "https://a.example/emopy/models/mtcnn/pnet.onnx",
  );
  assert.throws(() => modelURLs("emopy-bse", null), {
    name: "ModelNotFoundError",
    message: /Received 'emopy-bse'\. Did you mean 'emopy-base'/,
  });
});

test("the models of the package load the small module of ONNX Runtime, others all of it", () => {
  assert.equal(runtimeOf("emopy-tiny"), RUNTIMES.bundled);
  assert.equal(runtimeOf("./mine/"), RUNTIMES.all);
  assert.equal(runtimeOf(new URL("https://a.example/emopy-tiny")), RUNTIMES.all);
  for (const runtime of Object.values(RUNTIMES)) {
    const urls = sharedURLs(null, runtime);
    assert.deepEqual(
      Object.keys(urls).filter((name) => name.endsWith(".wasm")),
      [runtime],
    );
    assert.ok(urls[runtime].endsWith(`/${runtime}`));
  }
});

test("a file that is missing is named, with the place where it was looked for", async (context) => {
  const server = createServer((request, response) => {
    if (request.url === "/page") response.setHeader("content-type", "text/html");
    response.statusCode = request.url === "/none" ? 404 : 200;
    response.end("12345");
  }).listen(0, "127.0.0.1");
  context.after(() => server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const url = `http://127.0.0.1:${port}`;
  /** @type {import("../../src/models/fetch.js").Progress[]} */
  const seen = [];
  const downloads = new Downloads((progress) => seen.push(progress));
  assert.equal(new TextDecoder().decode(await downloads.get("a.onnx", `${url}/there`)), "12345");
  assert.deepEqual(seen.at(-1), { loaded: 5, total: 5 });
  for (const [path, reason] of [
    ["none", "status 404"],
    ["page", "an HTML page"],
  ]) {
    await assert.rejects(downloads.get("a.onnx", `${url}/${path}`), {
      name: "ModelNotFoundError",
      message: new RegExp(`The file a\\.onnx .*${url}/${path} and received: ${reason}`),
    });
  }
  await assert.rejects(downloads.get("a.onnx", "http://127.0.0.1:1/a.onnx"), {
    name: "ModelNotFoundError",
  });
});
