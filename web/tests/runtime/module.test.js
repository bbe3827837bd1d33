import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { concatenate } from "../../runtime/bytes.js";
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
 * the function at place 1 of a table, which is 4; 4 returns 44. 1 and 3 are exported. There is a
 * global.
 */
const MODULE = concatenate([
  [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  section(1, [1, 0x60, 0, 1, 0x7f]),
  section(2, [1, 1, 0x61, 1, 0x62, 0, 0]),
  section(3, [4, 0, 0, 0, 0]),
  section(4, [1, 0x70, 0, 2]),
  section(6, [1, 0x7f, 0, 0x41, 3, 0x0b]),
  section(7, [2, ...exported("one", 0, 1), ...exported("three", 0, 3)]),
  section(9, [1, 0, 0x41, 1, 0x0b, 1, 4]),
  section(10, [
    4,
    ...body([0x10, 0]),
    ...body([0x41, 2]),
    ...body([0x41, 1, 0x11, 0, 0]),
    ...body([0x41, 44]),
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
  assert.deepEqual([...module.withNamed([3])], [3, 4]);
  assert.deepEqual([...module.withNamed([2])], [2]);
});

test("an instrumented module notes which functions are called", async () => {
  const module = new WasmModule(MODULE);
  const exports = await start(module.instrumented());
  const called = () =>
    module.functions.filter((index) => exports[WasmModule.counterOf(index)].value === 1);
  assert.deepEqual(called(), []);
  assert.equal(exports.one(), 7);
  assert.deepEqual(called(), [1]);
  assert.equal(exports.three(), 44);
  assert.deepEqual(called(), [1, 3, 4]);
});

test("a call of a function that was left out is an error", async () => {
  const exports = await start(new WasmModule(MODULE).withOnly(new Set([1, 3])));
  assert.equal(exports.one(), 7);
  assert.throws(() => exports.three(), { name: "RuntimeError", message: /unreachable/ });
});

test("the sizes of functions are those of their locals and code", () => {
  const module = new WasmModule(MODULE);
  assert.deepEqual(
    [1, 2, 3, 4].map((index) => module.sizeOf(index)),
    [4, 4, 7, 4],
  );
  assert.deepEqual(module.upTo(4), [1, 2, 4]);
});

/**
 * A memory, a table, a global, a tag and a function are imported; 1 starts the module: it stores 5
 * in the global that the module defines, which is exported.
 */
const STARTED = concatenate([
  [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  section(1, [1, 0x60, 0, 0]),
  section(2, [
    5,
    ...[1, 0x61, 1, 0x6d, 2, 1, 1, 2], // memory of 1 to 2 pages
    ...[1, 0x61, 1, 0x74, 1, 0x70, 0, 1], // table of at least 1 function
    ...[1, 0x61, 1, 0x67, 3, 0x7f, 0], // global, constant
    ...[1, 0x61, 1, 0x65, 4, 0, 0], // tag
    ...[1, 0x61, 1, 0x66, 0, 0], // function
  ]),
  section(3, [1, 0]),
  section(6, [1, 0x7f, 1, 0x41, 3, 0x0b]),
  section(7, [1, ...exported("set", 3, 1)]),
  section(8, [1]),
  section(10, [1, ...body([0x41, 5, 0x24, 1])]),
]);

test("imports of all kinds are counted, and the function that starts a module is a root", async () => {
  const module = new WasmModule(STARTED);
  assert.deepEqual([module.functions, module.roots], [[1], [1]]);
  const { Memory, Table, Global, Tag } = /** @type {any} */ (WebAssembly);
  const a = {
    m: new Memory({ initial: 1, maximum: 2 }),
    t: new Table({ initial: 1, element: "anyfunc" }),
    g: new Global({ value: "i32" }, 0),
    e: new Tag({ parameters: [] }),
    f: () => {},
  };
  for (const binary of [STARTED, module.instrumented()]) {
    const { instance } = await WebAssembly.instantiate(binary, { a });
    const { exports } = /** @type {any} */ (instance);
    assert.equal(exports.set.value, 5);
    assert.equal(exports[WasmModule.counterOf(1)]?.value, binary === STARTED ? undefined : 1);
  }
});

test("a module that is cut off, and a table of another kind, are refused", () => {
  assert.throws(() => new WasmModule(MODULE.subarray(0, MODULE.length - 3)), /cut off/);
  const passive = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...section(9, [1, 1, 0, 1, 0])];
  assert.throws(() => new WasmModule(Uint8Array.from(passive)), /unknown kind of table/);
});

const skip = !existsSync(DIST) && "the package is not built: type make web";

test("the module for the models of the package is the smaller one", { skip }, async () => {
  const [bundled, all] = await Promise.all(
    [RUNTIMES.bundled, RUNTIMES.all].map((name) => readFile(join(DIST, name))),
  );
  assert.ok(WebAssembly.validate(bundled));
  assert.ok(bundled.length < 0.8 * all.length);
  assert.equal(new WasmModule(bundled).functions.length, new WasmModule(all).functions.length);
});

test("both modules give the same outputs, bit by bit, in other shapes", { skip }, () => {
  const script = fileURLToPath(new URL("outputs.js", import.meta.url));
  const [bundled, all] = [RUNTIMES.bundled, RUNTIMES.all].map((name) =>
    JSON.parse(execFileSync(process.execPath, [script, name], { encoding: "utf-8" })),
  );
  assert.ok(Object.keys(all).length >= 50);
  assert.deepEqual(bundled, all);
});
