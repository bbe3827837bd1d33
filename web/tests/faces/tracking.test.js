import assert from "node:assert/strict";
import { test } from "node:test";

import { ShotChanges, appearance, cosineSimilarity } from "../../src/faces/appearance.js";
import { landmarkTransform, FRAMING, alignFace } from "../../src/faces/alignment.js";
import { linearAssignment } from "../../src/faces/linear_assignment.js";
import { Tracker } from "../../src/faces/tracker.js";
import { TrackingDetector } from "../../src/faces/tracking_detector.js";
import { pixels } from "../../src/media/pixels.js";

/** @typedef {import("../../src/types.js").Face} Face */
/** @typedef {import("../../src/media/pixels.js").Pixels} Pixels */

/** @param {number} left @param {number} [top] @param {number} [side] @returns {Face} */
function faceAt(left, top = 10, side = 40) {
  return {
    box: { left, top, right: left + side, bottom: top + side },
    score: 1,
    landmarks: null,
    track: null,
  };
}

/** Noise that is the same for the same seed. @param {number} seed @returns {Pixels} */
function noise(seed, width = 160, height = 120) {
  let state = seed * 7919 + 1;
  const next = () => (state = (state * 48271) % 2147483647) % 256;
  return pixels(Uint8Array.from({ length: width * height * 3 }, next), width, height);
}

test("rows get the columns with the smallest sum of costs", () => {
  assert.deepEqual(
    linearAssignment(
      [
        [1, 2],
        [1.5, 9],
      ],
      5,
    ),
    [
      [0, 1],
      [1, 0],
    ],
  );
  assert.deepEqual(
    linearAssignment(
      [
        [Infinity, Infinity],
        [3, 1],
      ],
      5,
    ),
    [[1, 1]],
  );
  assert.deepEqual(linearAssignment([[7], [1]], 5), [[1, 0]]);
  assert.deepEqual(linearAssignment([], 5), []);
  assert.deepEqual(linearAssignment([[], []], 5), []);
});

test("the assignment is as good as the best of all permutations", () => {
  const values = noise(3, 20, 20).data;
  for (let trial = 0; trial < 20; trial++) {
    const costs = [0, 1, 2, 3].map((row) =>
      [0, 1, 2, 3].map((column) => values[trial * 16 + row * 4 + column]),
    );
    const found = linearAssignment(costs, 1000).reduce(
      (sum, [row, column]) => sum + costs[row][column],
      0,
    );
    /** @param {number[]} rest @returns {number} */
    const best = (rest) =>
      rest.length
        ? Math.min(
            ...rest.map(
              (column) => costs[4 - rest.length][column] + best(rest.filter((c) => c !== column)),
            ),
          )
        : 0;
    assert.equal(found, best([0, 1, 2, 3]));
  }
});

test("people keep their numbers when the order of the faces changes", () => {
  const tracker = new Tracker();
  const faces = [faceAt(10), faceAt(90)];
  assert.deepEqual(
    tracker.update(faces, 0).map(({ track }) => track),
    [1, 2],
  );
  assert.deepEqual(
    tracker.update(faces.toReversed(), 0.04).map(({ track }) => track),
    [2, 1],
  );
});

test("a tracker that continues a video gives no number of those before", () => {
  const tracker = new Tracker({ lastNumber: 7 });
  assert.equal(tracker.update([faceAt(10)], 0)[0].track, 8);
});

test("a face that comes back within two seconds keeps its number, later it gets a new one", () => {
  const tracker = new Tracker();
  tracker.update([faceAt(10)], 0);
  tracker.update([], 0.1);
  assert.equal(tracker.update([faceAt(12)], 1.9)[0].track, 1);
  tracker.update([], 2);
  assert.equal(tracker.update([faceAt(12)], 4.5)[0].track, 2);
});

test("a track moves on with its speed while the face is hidden", () => {
  const tracker = new Tracker();
  for (let i = 0; i < 20; i++) tracker.update([faceAt(10 + 4 * i)], 0.04 * i);
  const [{ box, lostS }] = tracker.predictBoxes(0.04 * 22);
  assert.ok(box.left > 90 && box.left < 102, String(box.left));
  assert.equal(lostS, null);
});

test("an earlier time starts anew", () => {
  const tracker = new Tracker();
  tracker.update([faceAt(10)], 1);
  assert.equal(tracker.update([faceAt(10)], 0.5)[0].track, 2);
  assert.equal(tracker.shot, 2);
});

test("times that are no numbers and negative settings are refused", () => {
  assert.throws(() => new Tracker().update([], NaN), { name: "InputError", message: /time_s/ });
  assert.throws(() => new Tracker({ keepS: -1 }), { name: "InputError" });
  const detector = { detect: async () => [], refine: async () => [] };
  assert.throws(() => new TrackingDetector(detector, { keyframeS: NaN }), { name: "InputError" });
});

test("a cut is a new shot; the same, plain and shifted frames are not", () => {
  const [one, other] = [noise(1), noise(2)];
  const black = { ...one, data: new Uint8Array(one.data.length) };
  const shots = new ShotChanges();
  const found = [one, one, other, black, other, one].map((image) => shots.isNewShot(image));
  assert.deepEqual(found, [false, false, true, false, false, true]);
});

test("appearance does not depend on brightness and contrast", () => {
  const image = noise(5);
  const darker = { ...image, data: image.data.map((value) => 20 + value / 2) };
  const [one, other] = [appearance(image, faceAt(20)), appearance(darker, faceAt(20))];
  assert.ok(one && other && cosineSimilarity(one, other) > 0.99);
  assert.equal(appearance({ ...image, data: new Uint8Array(image.data.length) }, faceAt(20)), null);
});

test("landmarks of the typical face need no transform but the scale", () => {
  const landmarks = FRAMING.map(
    ([x, y]) => /** @type {[number, number]} */ ([x * 96 + 5, y * 96 - 3]),
  );
  const transform = landmarkTransform(landmarks, { width: 48, height: 48, margin: 0 });
  [0.5, 0, -2.5, 0, 0.5, 1.5].forEach((value, i) =>
    assert.ok(Math.abs(transform[i] - value) < 1e-9),
  );
});

test("a face without landmarks is cropped by its box", () => {
  const crop = alignFace(noise(1), faceAt(20, 20, 60), { width: 48, height: 40, margin: 0.1 });
  assert.deepEqual([crop.width, crop.height, crop.channels], [48, 40, 3]);
});

test("the image is searched at intervals and when a face is lost; in between it is refined", async () => {
  /** @type {string[]} */
  const calls = [];
  let isHidden = false;
  const detector = {
    detect: async () => (calls.push("detect"), [faceAt(40)]),
    refine: async (/** @type {Pixels} */ _, /** @type {readonly unknown[]} */ boxes) =>
      boxes.map(() => (isHidden ? null : faceAt(41))),
  };
  const video = new TrackingDetector(detector);
  const image = noise(4);
  const tracks = [];
  for (let i = 0; i < 6; i++)
    tracks.push(...(await video.detect(image, i * 0.04)).map(({ track }) => track));
  assert.deepEqual([calls.length, ...tracks], [2, 1, 1, 1, 1, 1, 1]); // at 0 s and 0.2 s
  isHidden = true;
  await video.detect(image, 0.24);
  assert.equal(calls.length, 3);
});
