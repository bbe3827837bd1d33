import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { InputError } from "../../src/errors.js";
import { rowColumns, toCSV, toRows } from "../../src/present/table.js";
import { failedInput, roundNumber, toResult } from "../../src/types.js";

const GOLDEN = new URL("../../../tests/golden/", import.meta.url);
const LABELS = ["calm", "anger", "happiness"];

/**
 * @param {[number, number, number, number]} edges
 * @param {{landmarks?: [number, number][], track?: number}} [more]
 * @returns {import("../../src/types.js").Face}
 */
function face([left, top, right, bottom], { landmarks, track } = {}) {
  const box = { left, top, right, bottom };
  return {
    box,
    score: Math.fround(0.987654321),
    landmarks: landmarks ?? null,
    track: track ?? null,
  };
}

/** @param {number[]} probabilities @param {number} [minConfidence] */
function prediction(probabilities, minConfidence = 0) {
  return { labels: LABELS, probabilities: Float32Array.from(probabilities), minConfidence };
}

const RESULTS = [
  toResult(
    { source: "photos/group, 1.jpg", width: 640, height: 480 },
    [
      face([10, 20, 60, 80], {
        landmarks: [
          [30, 40],
          [50, 40.5],
          [40, 50],
          [32, 65],
          [48, 65],
        ],
      }),
      face([-5.25, 0, 7.125, 9]),
    ],
    [prediction([0.125, 0.125, 0.75]), prediction([0.4, 0.35, 0.25], 0.5)],
  ),
  toResult({ source: "photos/wall.jpg", width: 64, height: 48 }, [], []),
  failedInput("photos/broken.jpg", new InputError("`source` must hold an image.")),
  toResult(
    { source: "clip.mp4", width: 320, height: 240, time_s: 3600.04, frame: 90_001 },
    [face([1, 2, 33, 44], { track: 4 })],
    [prediction([0.1, 0.7, 0.2])],
  ),
  toResult({ source: "clip.mp4", width: 320, height: 240, time_s: 3600.08, frame: 90_002 }, [], []),
];

test("results are the golden JSON objects of the Python package", async () => {
  const golden = JSON.parse(await readFile(new URL("result.json", GOLDEN), "utf-8"));
  assert.deepEqual(JSON.parse(JSON.stringify(RESULTS)), golden);
  const keys = (/** @type {any} */ value) => Object.keys(value);
  assert.deepEqual(RESULTS.map(keys), golden.map(keys));
});

test("tables are the golden CSV of the Python package", async () => {
  assert.equal(toCSV(RESULTS, LABELS), await readFile(new URL("rows.csv", GOLDEN), "utf-8"));
});

test("a label with the name of a column gets another one", () => {
  assert.deepEqual(rowColumns(["anger", "score"]).slice(11), [
    "score",
    "emotion",
    "confidence",
    "anger",
    "score_probability",
    "error",
  ]);
});

test("rows have every column", () => {
  const [row] = toRows(RESULTS[0], LABELS);
  assert.deepEqual(Object.keys(row), rowColumns(LABELS));
  assert.deepEqual([row.calm, row.track, row.error], [0.125, null, null]);
});

test("texts that look like formulas are quoted", () => {
  const csv = toCSV([failedInput('=1+"1".jpg', new Error("line\nend"))], LABELS);
  assert.match(csv, /^"'=1\+""1"".jpg",/m);
  assert.ok(csv.endsWith(',"line\nend"\n'));
});

test("halves are rounded to even, as Python does", () => {
  const given = [1000.625, 100.0625, 2000.125, -1000.625, 1000.635, 100.0875, 0, 1, 1 / 3, 1e-9];
  const expected = [1000.62, 100.062, 2000.12, -1000.62, 1000.63, 100.088, 0, 1, 0.333333, 1e-9];
  assert.deepEqual(given.map(roundNumber), expected);
});
