/**
 * The same images and the same clip through Python and this package.
 *
 * ``scripts/write_web_golden.py`` writes them to the folder that EMOPY_GOLDEN names.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { Predictor } from "../src/pipeline/predictor.js";
import { DIST, readPNG, readerOf } from "./node_files.js";
import { compare } from "./parity.js";

const folder = process.env.EMOPY_GOLDEN ?? "";
const skip = !folder && "no golden results: type make test-web";
const golden = skip
  ? { images: {}, clip: [] }
  : JSON.parse(await readFile(join(folder, "golden.json"), "utf-8"));

/** @param {string} model */
function load(model) {
  return Predictor.load({ package: readerOf(DIST), model: readerOf(join(DIST, "models", model)) });
}

/** @param {unknown} _ @param {number} index */
const isFourth = (_, index) => index % 4 === 0;

// Ten of the 40 images: a browser predicts all of them (tests/web/test_package.py).
for (const model of ["emopy-base", "emopy-tiny"]) {
  test(
    `${model} gives the results of Python for every face of ten images`,
    { skip },
    async (context) => {
      const predictor = await load(model);
      const expected = golden.images[model].filter(isFourth);
      const results = [];
      for (const { source } of expected) {
        results.push(await predictor.predict(await readPNG(join(folder, source)), source));
      }
      assert.equal(results.length, 10);
      context.diagnostic(JSON.stringify(compare(results, expected)));
    },
  );
}

test(
  "a clip has the tracks and the smoothed probabilities of Python",
  { skip },
  async (context) => {
    const video = (await load("emopy-base")).openVideo("clip");
    const results = [];
    for (const { source, time_s, frame } of golden.clip) {
      const result = await video.predict(await readPNG(join(folder, source)), time_s, frame);
      results.push({ ...result, source });
    }
    context.diagnostic(JSON.stringify(compare(results, golden.clip)));
  },
);
