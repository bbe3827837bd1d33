/** What the code of a WebAssembly function names: functions, and numbers that may be addresses of some. */

import { Reader } from "./bytes.js";

/**
 * @typedef {object} Named
 * @property {number[]} functions Functions that are called by their number.
 * @property {number[]} constants Constants of 32 bits. C++ calls a function through its place in a
 *   table, which is such a constant.
 */

const CALL = new Set([0x10, 0x12, 0xd2]); // call, return_call, ref.func
const CONSTANT = 0x41;
const BRANCH_TABLE = 0x0e;
const SELECT_TYPED = 0x1c;
const TRY_TABLE = 0x1f;
const BLOCK = new Set([0x02, 0x03, 0x04, 0x06, TRY_TABLE]); // block, loop, if, try
const END = 0x0b;
const DELEGATE = 0x18;
const REFERENCE_TYPES = new Set([0x63, 0x64]);
const LOAD_FIRST = 0x28;
const STORE_LAST = 0x3e;
const FLOAT = new Map([
  [0x43, 4],
  [0x44, 8],
]);
const COMPARE_FIRST = 0x45;
const EXTEND_LAST = 0xc4;
const PREFIX = { misc: 0xfc, vector: 0xfd, atomic: 0xfe };

/** How many numbers follow the code of an instruction. */
const NUMBERS = new Map([
  ...numbers(1, [0x07, 0x08, 0x09, 0x0c, 0x0d, DELEGATE, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26]),
  ...numbers(1, [0x3f, 0x40, 0x42, 0xd0]),
  ...numbers(2, [0x11, 0x13]),
  ...numbers(0, [0x00, 0x01, 0x05, 0x0a, END, 0x0f, 0x19, 0x1a, 0x1b, 0xd1]),
]);

/** Numbers after the instructions with the prefix 0xfc: conversions, memories and tables. */
const MISC = [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1];

/** The last code after the prefix 0xfd, and those without a meaning. */
const VECTOR_LAST = 0x113;
const VECTOR_UNUSED = new Set([
  ...[0x9a, 0xa2, 0xa5, 0xa6, 0xaf, 0xb0, 0xb2, 0xb3, 0xb4, 0xbb],
  ...[0xc2, 0xc5, 0xc6, 0xcf, 0xd0, 0xd2, 0xd3, 0xd4, 0xe2, 0xee],
]);

/** Codes after the prefix 0xfe. */
const ATOMIC = { fence: 3, accessFirst: 0x10, accessLast: 0x4e };

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
 * @returns {Named}
 * @throws {Error} An instruction that is not known here, or a body that does not end where its code
 *   ends.
 */
export function namedIn(body) {
  const reader = new Reader(body);
  /** @type {Named} */
  const named = { functions: [], constants: [] };
  skipLocals(reader);
  let depth = 1;
  while (depth > 0) {
    const code = reader.byte();
    if (BLOCK.has(code)) depth += 1;
    else if (code === END || code === DELEGATE) depth -= 1;
    if (CALL.has(code)) named.functions.push(reader.unsigned());
    else if (code === CONSTANT) named.constants.push(reader.signed());
    else skip(reader, code);
  }
  if (!reader.isAtEnd) throw new Error("code after the end of a function");
  return named;
}

/** Skip how many locals a function has, and their types. @param {Reader} reader */
export function skipLocals(reader) {
  reader.list(() => {
    reader.unsigned();
    reader.skipType();
  });
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
  else if (code === PREFIX.misc) skipMisc(reader);
  else if (code === BRANCH_TABLE) skipNumbers(reader, reader.unsigned() + 1);
  else if (code === SELECT_TYPED) reader.list(() => reader.skipType());
  else if (code === TRY_TABLE) skipTryTable(reader);
  else if (BLOCK.has(code)) skipBlockType(reader);
  else throw unknown(code);
}

/** @param {number} code @param {number} [prefix] */
function unknown(code, prefix) {
  const after = prefix === undefined ? "" : ` after 0x${prefix.toString(16)}`;
  return new Error(`unknown instruction 0x${code.toString(16)}${after}`);
}

/** @param {Reader} reader @param {number} count */
function skipNumbers(reader, count) {
  for (let i = 0; i < count; i++) reader.skipNumber();
}

/** Skip a type of a value, or the number of a type. @param {Reader} reader */
function skipBlockType(reader) {
  const first = reader.byte();
  if (first >= 128 || REFERENCE_TYPES.has(first)) reader.skipNumber();
}

/** Skip alignment, memory and offset. @param {Reader} reader */
function skipMemory(reader) {
  const hasMemory = reader.unsigned() & 64;
  skipNumbers(reader, hasMemory ? 2 : 1);
}

/** @param {Reader} reader */
function skipMisc(reader) {
  const code = reader.unsigned();
  if (code >= MISC.length) throw unknown(code, PREFIX.misc);
  skipNumbers(reader, MISC[code]);
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
  } else if (code > VECTOR_LAST || VECTOR_UNUSED.has(code)) throw unknown(code, PREFIX.vector);
}

/** @param {Reader} reader */
function skipAtomic(reader) {
  const code = reader.unsigned();
  const { fence, accessFirst, accessLast } = ATOMIC;
  if (code === fence) reader.byte();
  else if (code < fence || (code >= accessFirst && code <= accessLast)) skipMemory(reader);
  else throw unknown(code, PREFIX.atomic);
}

/** @param {Reader} reader */
function skipTryTable(reader) {
  const CATCH_REF = 1;
  skipBlockType(reader);
  reader.list(() => {
    const kind = reader.byte();
    skipNumbers(reader, kind <= CATCH_REF ? 2 : 1);
  });
}
