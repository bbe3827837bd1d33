import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { concatenate } from "../../runtime/bytes.js";
import { functionsNamedIn } from "../../runtime/instructions.js";
import { WasmModule } from "../../runtime/module.js";
import { RUNTIMES } from "../../src/models/files.js";
import { DIST } from "../node_files.js";

/** @param {number} id @param {number[]} content */
const section = (id, content) => [id, content.length, ...content];

/** @param {string} name @param {number} kind @param {number} index */
const exported = (name, kind, index) => [name.length, ...Buffer.from(name), kind, index];

/** @param {number[]} code */
const body = (code) => [code.length + 2, 0, ...code, 0x0b];

/**
 * Functions without arguments that return a number: 0 is imported, 1 calls 0, 2 returns 2, 3 calls
 * the function with the number 0 of a table, which is 4; 4 returns 4. 1 and 3 are exported. There is
 * a global.
 */
const MODULE = concatenate([
  [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  section(1, [1, 0x60, 0, 1, 0x7f]),
  section(2, [1, 1, 0x61, 1, 0x62, 0, 0]),
  section(3, [4, 0, 0, 0, 0]),
  section(4, [1, 0x70, 0, 1]),
  section(6, [1, 0x7f, 0, 0x41, 3, 0x0b]),
  section(7, [2, ...exported("one", 0, 1), ...exported("three", 0, 3)]),
  section(9, [1, 0, 0x41, 0, 0x0b, 1, 4]),
  section(10, [
    4,
    ...body([0x10, 0]),
    ...body([0x41, 2]),
    ...body([0x41, 0, 0x11, 0, 0]),
    ...body([0x41, 4]),
  ]),
]);

/** @param {Uint8Array<ArrayBuffer>} binary */
async function start(binary) {
  const { instance } = await WebAssembly.instantiate(binary, { a: { b: () => 7 } });
  return /** @type {Record<string, any>} */ (instance.exports);
}

test("the functions of a module, and those that are named in its code", () => {
  const module = new WasmModule(MODULE);
  assert.deepEqual(module.functions, [1, 2, 3, 4]);
  assert.deepEqual(module.roots, [1, 3]);
  assert.deepEqual([...module.withNamed([1])], [1, 0]);
  assert.deepEqual([...module.withNamed([3])], [3]);
});

test("an instrumented module notes which functions are called", async () => {
  const module = new WasmModule(MODULE);
  const exports = await start(module.instrumented());
  const called = () =>
    module.functions.filter((index) => exports[WasmModule.counterOf(index)].value === 1);
  assert.deepEqual(called(), []);
  assert.equal(exports.one(), 7);
  assert.deepEqual(called(), [1]);
  assert.equal(exports.three(), 4);
  assert.deepEqual(called(), [1, 3, 4]);
});

test("a call of a function that was left out is an error", async () => {
  const exports = await start(new WasmModule(MODULE).withOnly(new Set([1, 3])));
  assert.equal(exports.one(), 7);
  assert.throws(() => exports.three(), { name: "RuntimeError", message: /unreachable/ });
});

test("instructions of all lengths are read", () => {
  const call = [0x10, 5];
  const long = [0x10, 0x85, 0x80, 0];
  const others = [
    [0x02, 0x40, 0x0e, 2, 0, 1, 0, 0x0b], // block with a branch table
    [0x41, 0x90, 0x7f], // a constant that has a byte like a call
    [0x44, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10],
    [0x28, 2, 0x90, 1], // load
    [0xfd, 12, ...new Array(16).fill(0x10)],
    [0xfd, 84, 0, 0x10, 0x10], // load of a lane
    [0xfc, 10, 0, 0], // copy of memory
    [0xfe, 3, 0x10], // fence
    [0xfe, 0x10, 2, 0], // atomic load
    [0x1c, 1, 0x7f], // select
  ];
  for (const other of others) {
    const code = Uint8Array.from([1, 2, 0x7f, ...other, ...call, ...other, ...long, 0x0b]);
    assert.deepEqual(functionsNamedIn(code), [5, 5]);
  }
  assert.throws(() => functionsNamedIn(Uint8Array.of(0, 0xff)), /unknown instruction 0xff/);
});

test(
  "the module for the models of the package is a third of the other one",
  { skip: !existsSync(DIST) && "the package is not built: type make web" },
  async () => {
    const [bundled, all] = await Promise.all(
      [RUNTIMES.bundled, RUNTIMES.all].map((name) => readFile(join(DIST, name))),
    );
    assert.ok(WebAssembly.validate(bundled));
    assert.ok(bundled.length < all.length / 2);
    assert.equal(new WasmModule(bundled).functions.length, new WasmModule(all).functions.length);
  },
);
