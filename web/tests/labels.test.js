import assert from "node:assert/strict";
import { test } from "node:test";

import {
  InputError,
  LabelError,
  ModelNotFoundError,
  nearest,
  packError,
  unpackError,
} from "../src/errors.js";
import {
  ALIASES,
  ALL_EMOTIONS,
  STANDARD_EMOTIONS,
  canonical,
  selectLabels,
} from "../src/labels.js";

test("labels come back as they were typed, in the same order", () => {
  assert.deepEqual(selectLabels([" Calm", "anger"], ["anger", "fear", "neutral"]), {
    labels: ["Calm", "anger"],
    known: ["neutral", "anger"],
    columns: [2, 0],
  });
  assert.deepEqual(selectLabels(new Set(["joy", "sad"]), ALL_EMOTIONS).columns, [4, 6]);
});

test("every alias stands for an emotion", () => {
  for (const [alias, emotion] of ALIASES) {
    assert.ok(ALL_EMOTIONS.includes(emotion));
    assert.equal(canonical(alias.toUpperCase()), emotion);
  }
});

test("'standard' is seven emotions, 'all' every label of the model", () => {
  assert.deepEqual(selectLabels("standard", ALL_EMOTIONS).labels, [...STANDARD_EMOTIONS]);
  assert.deepEqual(selectLabels(" All ", ALL_EMOTIONS).labels, [...ALL_EMOTIONS]);
  assert.deepEqual(selectLabels("standard", ["yes", "no"]).labels, ["yes", "no"]);
});

/** @type {[any, RegExp][]} */
const REFUSED = [
  [["anger", "hapiness"], /Received 'hapiness'\. Did you mean 'happiness'/],
  [["anger", "angry"], /Received 'anger' twice, as 'anger' and 'angry'/],
  [["anger"], /two or more labels. Received anger/],
  [[], /Received none/],
  ["happy", /'standard' or 'all'. Received 'happy'/],
  [7, /Received 7/],
  [null, /Received null/],
];
for (const [emotions, message] of REFUSED) {
  test(`the emotions ${JSON.stringify(emotions)} are refused`, () => {
    assert.throws(() => selectLabels(emotions, ALL_EMOTIONS), { name: "LabelError", message });
  });
}

test("errors keep their class and text from one thread to another", () => {
  for (const error of [
    new InputError("a"),
    new LabelError("b"),
    new ModelNotFoundError("c"),
    new Error("d"),
  ]) {
    const sent = unpackError(structuredClone(packError(error)));
    assert.equal(sent.constructor, error.constructor);
    assert.deepEqual([sent.name, sent.message], [error.name, error.message]);
  }
  assert.deepEqual(packError("text"), { name: "Error", message: "text" });
});

test("the nearest names are offered, and all are listed", () => {
  assert.equal(
    nearest("saddnes", ["anger", "sadness"]),
    "Did you mean 'sadness'? Known: anger, sadness.",
  );
  assert.equal(nearest("xyz", ["anger"]), "Known: anger.");
});
