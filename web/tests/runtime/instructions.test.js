import assert from "node:assert/strict";
import { test } from "node:test";

import { Reader } from "../../runtime/bytes.js";
import { namedIn } from "../../runtime/instructions.js";

const CALL = [0x10, 5];
const LONG = [0x10, 0x85, 0x80, 0];

/** Instructions with bytes that look like a call, but are none. @type {number[][]} */
const OTHERS = [
  [0x02, 0x40, 0x0e, 2, 0, 1, 0, 0x0b], // block with a branch table
  [0x02, 0x63, 0x10, 0x0b], // block with the type of a reference
  [0x44, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10],
  [0x28, 2, 0x90, 1], // load
  [0x42, 0x90, 0x10], // constant of 64 bits
  [0xfd, 12, ...new Array(16).fill(0x10)],
  [0xfd, 84, 0, 0x10, 0x10], // load of a lane
  [0xfd, 21, 0x10], // a lane
  [0xfd, 0x93, 2], // a relaxed one
  [0xfc, 10, 0, 0], // copy of memory
  [0xfe, 3, 0x10], // fence
  [0xfe, 0x10, 2, 0], // atomic load
  [0x1c, 1, 0x7f], // select
  [0x1f, 0x40, 1, 0, 0x10, 0x10, 0x0b], // try_table
  [0x06, 0x40, 0x18, 0x10], // try that another one handles
];

/** @param {...number} code */
const body = (...code) => Uint8Array.from([1, 2, 0x7f, ...code, 0x0b]);

test("calls are found between instructions of all lengths", () => {
  for (const other of OTHERS) {
    const { functions } = namedIn(body(...other, ...CALL, ...other, ...LONG));
    assert.deepEqual(functions, [5, 5]);
  }
});

test("constants of 32 bits are read with their sign", () => {
  const constants = [
    [0x41, 0x10],
    [0x41, 0x7f],
    [0x41, 0x90, 0x7f],
    [0x41, 0x80, 0x80, 0x04],
    [0x41, 0x80, 0x80, 0x80, 0x80, 0x78],
  ];
  const found = namedIn(body(...constants.flat()));
  assert.deepEqual(found, { functions: [], constants: [16, -1, -112, 65536, -(2 ** 31)] });
});

test("unknown instructions are refused", () => {
  assert.throws(() => namedIn(body(0xff)), /unknown instruction 0xff$/);
  assert.throws(() => namedIn(body(0xfc, 18)), /unknown instruction 0x12 after 0xfc/);
  assert.throws(() => namedIn(body(0xfd, 0x9a, 1)), /unknown instruction 0x9a after 0xfd/);
  assert.throws(() => namedIn(body(0xfd, 0x94, 2)), /unknown instruction 0x114 after 0xfd/);
  assert.throws(() => namedIn(body(0xfe, 0x4f)), /unknown instruction 0x4f after 0xfe/);
});

test("a body ends where its first block ends, and not before or after", () => {
  assert.throws(() => namedIn(body(0x02, 0x40)), /cut off/);
  assert.throws(() => namedIn(body(0x0b)), /code after the end/);
  assert.throws(() => namedIn(Uint8Array.of(0, 0x43, 0, 0)), /cut off/);
  assert.throws(() => new Reader(Uint8Array.of(1, 2)).bytes(3), /cut off/);
});
