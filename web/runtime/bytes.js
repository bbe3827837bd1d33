/** Numbers and lists in the binary format of WebAssembly. */

/** Reads bytes from start to end. */
export class Reader {
  #bytes;

  /** @param {Uint8Array} bytes @param {number} [position] */
  constructor(bytes, position = 0) {
    this.#bytes = bytes;
    this.position = position;
  }

  get isAtEnd() {
    return this.position >= this.#bytes.length;
  }

  byte() {
    if (this.isAtEnd) throw new Error("The WebAssembly module is cut off.");
    return this.#bytes[this.position++];
  }

  /** @param {number} length */
  bytes(length) {
    this.position += length;
    if (this.position > this.#bytes.length) throw new Error("The WebAssembly module is cut off.");
    return this.#bytes.subarray(this.position - length, this.position);
  }

  /** A number of up to 32 bits, 0 or more. */
  unsigned() {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  /** A number of up to 32 bits with a sign. */
  signed() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 127) << shift;
      if (byte < 128) return byte & 64 && shift < 25 ? value | (-1 << (shift + 7)) : value;
    }
  }

  /** Skip a number of any size. */
  skipNumber() {
    while (this.byte() >= 128);
  }

  /** Skip the type of a value. */
  skipType() {
    const isReference = [0x63, 0x64].includes(this.byte());
    if (isReference) this.skipNumber();
  }

  /**
   * Read a number of items, then each of them.
   *
   * @template T
   * @param {() => T} item
   * @returns {T[]}
   */
  list(item) {
    return Array.from({ length: this.unsigned() }, item);
  }
}

/** The bytes of a number of 0 or more. @param {number} value @returns {Uint8Array<ArrayBuffer>} */
export function unsigned(value) {
  const bytes = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push(128 + (value % 128));
  return Uint8Array.from([...bytes, value]);
}

/** @param {readonly ArrayLike<number>[]} parts @returns {Uint8Array<ArrayBuffer>} */
export function concatenate(parts) {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let start = 0;
  for (const part of parts) {
    joined.set(part, start);
    start += part.length;
  }
  return joined;
}
