/** The functions that WebAssembly code names: in direct calls, and where it takes a function's address. */

import { Reader } from "./bytes.js";

/** What follows the code of an instruction: n numbers, or something else. */
const NUMBERS = new Map([
  ...numbers(1, [0x08, 0x09, 0x07, 0x18, 0x0c, 0x0d, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26]),
  ...numbers(1, [0x3f, 0x40, 0x41, 0x42, 0xd0, 0x02, 0x03, 0x04, 0x06]),
  ...numbers(2, [0x11, 0x13]),
  ...numbers(0, [0x00, 0x01, 0x05, 0x0a, 0x0b, 0x0f, 0x19, 0x1a, 0x1b, 0xd1]),
]);
const CALL = new Set([0x10, 0x12, 0xd2]); // call, return_call, ref.func
const BRANCH_TABLE = 0x0e;
const SELECT_TYPED = 0x1c;
const TRY_TABLE = 0x1f;
const LOAD_FIRST = 0x28;
const STORE_LAST = 0x3e;
const FLOAT = new Map([
  [0x43, 4],
  [0x44, 8],
]);
const COMPARE_FIRST = 0x45;
const EXTEND_LAST = 0xc4;
const PREFIX = { misc: 0xfc, vector: 0xfd, atomic: 0xfe };

/** Numbers after the instructions with the prefix 0xfc: conversions, memories and tables. */
const MISC = [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1];

/**
 * @param {number} count
 * @param {readonly number[]} codes
 * @returns {[number, number][]}
 */
function numbers(count, codes) {
  return codes.map((code) => [code, count]);
}

/**
 * @param {Uint8Array} body Locals and instructions of a function.
 * @returns {number[]} Numbers of functions.
 * @throws {Error} An instruction that is not known here.
 */
export function functionsNamedIn(body) {
  const reader = new Reader(body);
  /** @type {number[]} */
  const named = [];
  reader.list(() => [reader.unsigned(), reader.byte()]);
  while (!reader.isAtEnd) {
    const code = reader.byte();
    if (CALL.has(code)) named.push(reader.unsigned());
    else skip(reader, code);
  }
  return named;
}

/** Skip what follows the code of an instruction. @param {Reader} reader @param {number} code */
function skip(reader, code) {
  const count = NUMBERS.get(code);
  if (count !== undefined) skipNumbers(reader, count);
  else if (code >= LOAD_FIRST && code <= STORE_LAST) skipMemory(reader);
  else if (code >= COMPARE_FIRST && code <= EXTEND_LAST) return;
  else if (FLOAT.has(code)) reader.bytes(FLOAT.get(code) ?? 0);
  else if (code === PREFIX.vector) skipVector(reader);
  else if (code === PREFIX.atomic) skipAtomic(reader);
  else if (code === PREFIX.misc) skipNumbers(reader, MISC[reader.unsigned()] ?? NaN);
  else if (code === BRANCH_TABLE) skipNumbers(reader, reader.unsigned() + 1);
  else if (code === SELECT_TYPED) reader.list(() => reader.byte());
  else if (code === TRY_TABLE) skipTryTable(reader);
  else throw new Error(`unknown instruction 0x${code.toString(16)}`);
}

/** @param {Reader} reader @param {number} count */
function skipNumbers(reader, count) {
  if (Number.isNaN(count)) throw new Error("unknown instruction with the prefix 0xfc");
  for (let i = 0; i < count; i++) reader.skipNumber();
}

/** Skip alignment, memory and offset. @param {Reader} reader */
function skipMemory(reader) {
  const hasMemory = reader.unsigned() & 64;
  skipNumbers(reader, hasMemory ? 2 : 1);
}

/** @param {Reader} reader */
function skipVector(reader) {
  const code = reader.unsigned();
  if (code <= 11 || code === 92 || code === 93) skipMemory(reader);
  else if (code === 12 || code === 13) reader.bytes(16);
  else if (code >= 21 && code <= 34) reader.byte();
  else if (code >= 84 && code <= 91) {
    skipMemory(reader);
    reader.byte();
  }
}

/** @param {Reader} reader */
function skipAtomic(reader) {
  const FENCE = 3;
  if (reader.unsigned() === FENCE) reader.byte();
  else skipMemory(reader);
}

/** @param {Reader} reader */
function skipTryTable(reader) {
  const CATCH_REF = 1;
  reader.skipNumber();
  reader.list(() => {
    const kind = reader.byte();
    skipNumbers(reader, kind <= CATCH_REF ? 2 : 1);
  });
}
