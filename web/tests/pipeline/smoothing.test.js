import assert from "node:assert/strict";
import { test } from "node:test";

import { softmax } from "../../src/pipeline/classifier.js";
import { Smoother } from "../../src/pipeline/smoothing.js";

const labels = ["anger", "neutral"];

/** @param {number} first @param {readonly string[]} [names] */
function prediction(first, names = labels) {
  return { labels: names, probabilities: Float32Array.from([first, 1 - first]), minConfidence: 0 };
}

test("a change has come through to 63 % after the time constant", () => {
  const smoother = new Smoother(0.3);
  const [low, high] = [0.1, 0.9];
  smoother.smooth(prediction(low), 1, 0);
  const [p] = smoother.smooth(prediction(high), 1, 0.3).probabilities;
  const logit = (/** @type {number} */ value) => Math.log(value / (1 - value));
  assert.ok(
    Math.abs((logit(p) - logit(low)) / (logit(high) - logit(low)) - (1 - Math.exp(-1))) < 1e-5,
  );
});

test("the effect does not depend on the frame rate", () => {
  const [coarse, fine] = [new Smoother(0.3), new Smoother(0.3)];
  for (const smoother of [coarse, fine]) smoother.smooth(prediction(0.2), 1, 0);
  const once = coarse.smooth(prediction(0.8), 1, 0.4).probabilities[0];
  let last = 0;
  for (let i = 1; i <= 40; i++) last = fine.smooth(prediction(0.8), 1, i * 0.01).probabilities[0];
  assert.ok(Math.abs(once - last) < 1e-5);
});

test("tracks are smoothed apart, and faces without a track not at all", () => {
  const smoother = new Smoother(0.3);
  smoother.smooth(prediction(0.9), 1, 0);
  assert.ok(Math.abs(smoother.smooth(prediction(0.2), 2, 0.1).probabilities[0] - 0.2) < 1e-6);
  const untracked = prediction(0.2);
  assert.equal(smoother.smooth(untracked, null, 0.1), untracked);
  assert.equal(new Smoother(0).smooth(untracked, 1, 0), untracked);
});

test("what is forgotten, or has other labels, does not count", () => {
  const smoother = new Smoother(10);
  smoother.smooth(prediction(0.9), 1, 0);
  const other = smoother.smooth(prediction(0.2, ["fear", "joy"]), 1, 0.1);
  assert.ok(Math.abs(other.probabilities[0] - 0.2) < 1e-6);
  smoother.smooth(prediction(0.9), 2, 1);
  smoother.forget(2);
  assert.ok(Math.abs(smoother.smooth(prediction(0.2), 2, 3).probabilities[0] - 0.2) < 1e-6);
});

test("a probability of 0 stays 0", () => {
  const smoother = new Smoother(0.3);
  smoother.smooth(prediction(0.5), 1, 0);
  assert.deepEqual([...smoother.smooth(prediction(0), 1, 0.1).probabilities], [0, 1]);
});

test("negative times are refused", () => {
  for (const time of [-1, NaN, Infinity])
    assert.throws(() => new Smoother(time), { name: "InputError" });
});

test("probabilities sum to 1, also of huge logits and of minus infinity", () => {
  assert.deepEqual([...softmax([0, 0])], [0.5, 0.5]);
  assert.deepEqual([...softmax([1000, 0, -Infinity])], [1, 0, 0]);
});
