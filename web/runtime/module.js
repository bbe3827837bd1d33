/**
 * Read and rewrite the functions of a WebAssembly module, as far as `build_runtime.js` needs it.
 *
 * Source: WebAssembly Core Specification, https://webassembly.github.io/spec/core/binary/.
 */

import { Reader, concatenate, unsigned } from "./bytes.js";
import { namedIn, skipLocals } from "./instructions.js";

const SECTION = { import: 2, global: 6, export: 7, start: 8, element: 9, code: 10 };
const HEADER_BYTES = 8;

/** Kinds of imports and exports. */
const KIND = { function: 0, table: 1, memory: 2, global: 3, tag: 4 };

/** A body without locals: `unreachable`, `end`. A call of it is an error. */
const REMOVED = Uint8Array.of(0, 0x00, 0x0b);

/** Codes of instructions: a constant of 32 bits, and the end. */
const CONSTANT = 0x41;
const END = 0x0b;

/** A mutable global of 32 bits that starts with 0. */
const COUNTER = Uint8Array.of(0x7f, 1, 0x41, 0, 0x0b);

/** A WebAssembly module. Functions have the numbers of the module: imported ones come first. */
export class WasmModule {
  /** @type {{id: number, content: Uint8Array}[]} */
  #sections = [];
  #header;
  /** Number of functions that are imported. */
  #imported = 0;
  #importedGlobals = 0;
  /** @type {Uint8Array[]} */
  #bodies;
  /** The functions of the table, by their place in it. @type {Map<number, number>} */
  #table = new Map();

  /** @param {Uint8Array} binary */
  constructor(binary) {
    this.#header = binary.subarray(0, HEADER_BYTES);
    const reader = new Reader(binary, HEADER_BYTES);
    while (!reader.isAtEnd) {
      const id = reader.byte();
      this.#sections.push({ id, content: reader.bytes(reader.unsigned()) });
    }
    this.#readImports();
    this.#readTable();
    const code = new Reader(this.#content(SECTION.code));
    this.#bodies = code.list(() => code.bytes(code.unsigned()));
  }

  /** Name of the global that `instrumented` adds for a function. @param {number} index */
  static counterOf(index) {
    return `called_${index}`;
  }

  /** Numbers of the functions that the module defines. */
  get functions() {
    return this.#bodies.map((_, i) => i + this.#imported);
  }

  /** Numbers of the functions that a host can call by name, and of the one that starts the module. */
  get roots() {
    const reader = new Reader(this.#content(SECTION.export));
    /** @type {number[]} */
    const roots = [];
    reader.list(() => {
      reader.bytes(reader.unsigned());
      const kind = reader.byte();
      const index = reader.unsigned();
      if (kind === KIND.function) roots.push(index);
    });
    const start = this.#content(SECTION.start);
    if (start.length) roots.push(new Reader(start).unsigned());
    return roots;
  }

  /**
   * The functions, all that they name in their code, and so on. A constant that is the place of a
   * function in the table names that function, whatever it is used for. Not found are functions
   * whose places are in the data of the module only, as those of virtual functions are.
   *
   * @param {Iterable<number>} functions
   * @returns {Set<number>}
   */
  withNamed(functions) {
    const found = new Set(functions);
    for (const index of found) {
      if (index < this.#imported) continue;
      const named = namedIn(this.#bodies[index - this.#imported]);
      for (const other of named.functions) found.add(other);
      for (const place of named.constants) {
        const other = this.#table.get(place);
        if (other !== undefined) found.add(other);
      }
    }
    return found;
  }

  /** Bytes of a function that the module defines, its locals and its code. @param {number} index */
  sizeOf(index) {
    return this.#bodies[index - this.#imported].length;
  }

  /** Numbers of the functions of at most so many bytes. @param {number} bytes */
  upTo(bytes) {
    return this.functions.filter((index) => this.sizeOf(index) <= bytes);
  }

  /**
   * The module with an exported global for each function: 0 until it is first called, then 1.
   *
   * @returns {Uint8Array<ArrayBuffer>}
   */
  instrumented() {
    const globals = new Reader(this.#content(SECTION.global));
    const first = this.#importedGlobals + globals.unsigned();
    const bodies = this.#bodies.map((body, i) => {
      const reader = new Reader(body);
      skipLocals(reader);
      const set = concatenate([Uint8Array.of(0x41, 1, 0x24), unsigned(first + i)]);
      return concatenate([body.subarray(0, reader.position), set, body.subarray(reader.position)]);
    });
    const counters = bodies.map(() => COUNTER);
    const exported = bodies.map((_, i) => {
      const name = new TextEncoder().encode(WasmModule.counterOf(i + this.#imported));
      return concatenate([unsigned(name.length), name, [KIND.global], unsigned(first + i)]);
    });
    return this.#write(
      bodies,
      new Map([
        [SECTION.global, appended(this.#content(SECTION.global), counters)],
        [SECTION.export, appended(this.#content(SECTION.export), exported)],
      ]),
    );
  }

  /**
   * The module with the code of these functions only: a call of another one is an error,
   * `WebAssembly.RuntimeError: unreachable`.
   *
   * @param {ReadonlySet<number>} functions
   * @returns {Uint8Array<ArrayBuffer>}
   */
  withOnly(functions) {
    return this.#write(
      this.#bodies.map((body, i) => (functions.has(i + this.#imported) ? body : REMOVED)),
    );
  }

  #readImports() {
    const reader = new Reader(this.#content(SECTION.import));
    if (reader.isAtEnd) return;
    reader.list(() => {
      reader.bytes(reader.unsigned());
      reader.bytes(reader.unsigned());
      const kind = reader.byte();
      if (kind === KIND.function) {
        reader.unsigned();
        this.#imported += 1;
      } else if (kind === KIND.global) {
        reader.skipType();
        reader.byte();
        this.#importedGlobals += 1;
      } else if (kind === KIND.tag) {
        reader.byte();
        reader.unsigned();
      } else {
        if (kind === KIND.table) reader.skipType();
        const hasMaximum = reader.byte() & 1;
        reader.skipNumber();
        if (hasMaximum) reader.skipNumber();
      }
    });
  }

  /** Read which functions the table has from the start: one with constant places, as C++ has. */
  #readTable() {
    const reader = new Reader(this.#content(SECTION.element));
    if (reader.isAtEnd) return;
    reader.list(() => {
      const isPlain = reader.unsigned() === 0 && reader.byte() === CONSTANT;
      const first = isPlain ? reader.signed() : 0;
      if (!isPlain || reader.byte() !== END) throw new Error("unknown kind of table");
      reader.list(() => reader.unsigned()).forEach((index, i) => this.#table.set(first + i, index));
    });
  }

  /** Content of a section; empty where there is none. @param {number} id */
  #content(id) {
    return this.#sections.find((section) => section.id === id)?.content ?? new Uint8Array(0);
  }

  /**
   * @param {readonly Uint8Array[]} bodies
   * @param {ReadonlyMap<number, Uint8Array>} [changed] New content of sections.
   */
  #write(bodies, changed = new Map()) {
    const code = bodies.flatMap((body) => [unsigned(body.length), body]);
    const parts = this.#sections.flatMap(({ id, content }) => {
      const written =
        id === SECTION.code
          ? concatenate([unsigned(bodies.length), ...code])
          : (changed.get(id) ?? content);
      return [[id], unsigned(written.length), written];
    });
    return concatenate([this.#header, ...parts]);
  }
}

/**
 * A list with more items at its end.
 *
 * @param {Uint8Array} list
 * @param {readonly Uint8Array[]} items
 */
function appended(list, items) {
  const reader = new Reader(list);
  const count = reader.unsigned();
  return concatenate([unsigned(count + items.length), list.subarray(reader.position), ...items]);
}
