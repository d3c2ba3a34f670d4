/** PostgreSQL's type numbers (OIDs) of array elements. */
export const elementType = { int8: 20, text: 25 } as const;

const headerBytes = 20;
const lengthBytes = 4;

/**
 * An array parameter, encoded as its elements are added: a statement sends it as is, whereas an array of strings is
 * escaped element by element and parsed again by PostgreSQL.
 *
 *   dimensions = 1 | has nulls = 0 | element type | length | first index = 1 | (bytes of element | element)…
 *
 * All numbers are 32 bits, big-endian. The owner bounds the size.
 */
export class BinaryArray {
  #bytes: Buffer;
  #at = headerBytes;
  #length = 0;

  /** `capacity`: the initial size in bytes, including the lengths of the elements; it grows. */
  constructor(type: number, capacity: number) {
    this.#bytes = Buffer.allocUnsafe(headerBytes + capacity);
    this.#bytes.writeInt32BE(1, 0);
    this.#bytes.writeInt32BE(0, 4);
    this.#bytes.writeInt32BE(type, 8);
    this.#bytes.writeInt32BE(1, 16);
  }

  get length(): number {
    return this.#length;
  }

  addInt8(value: bigint): void {
    const at = this.#begin(8);
    this.#bytes.writeBigInt64BE(value, at);
  }

  addText(text: string): void {
    const length = Buffer.byteLength(text);
    const at = this.#begin(length);
    this.#bytes.write(text, at);
  }

  addBytes(bytes: Uint8Array): void {
    const at = this.#begin(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /**
   * Adds a part of `source` if it consists of the ASCII characters 1 to 127 only, which are checked while copying;
   * otherwise adds nothing and returns false.
   */
  addPlainAscii(source: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    const from = this.#at;
    let at = this.#begin(length);
    const bytes = this.#bytes;
    for (let index = start; index < end; index += 1) {
      const byte = source[index] ?? 0;
      if (byte === 0 || byte > 127) {
        this.#at = from;
        this.#length -= 1;
        return false;
      }
      bytes[at] = byte;
      at += 1;
    }
    return true;
  }

  /** Returns the array as it is so far, as a view. */
  encode(): Buffer {
    this.#bytes.writeInt32BE(this.#length, 12);
    return this.#bytes.subarray(0, this.#at);
  }

  /** Makes room for an element and writes its length; returns the element's offset. */
  #begin(length: number): number {
    const at = this.#at + lengthBytes;
    if (at + length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(at + length, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, this.#at);
      this.#bytes = grown;
    }
    this.#bytes.writeInt32BE(length, this.#at);
    this.#at = at + length;
    this.#length += 1;
    return at;
  }
}
