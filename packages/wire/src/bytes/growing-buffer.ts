const smallestCapacity = 64;
/** The array of all empty buffers, since each new array takes memory. */
const nothing = new Uint8Array(0);

/**
 * Bytes collected until there are enough, copied into one array that doubles: many tiny pieces cost no more than one
 * large piece, and nothing is reserved for bytes that are only announced. The owner bounds `length`.
 */
export class GrowingBuffer {
  #bytes = nothing;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Appends a copy of `bytes`. */
  append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2, smallestCapacity));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }

  /** Returns the bytes so far: a view that the next call makes invalid. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Removes and returns all bytes, which the caller then owns; the buffer is empty again. */
  take(): Uint8Array {
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#bytes = nothing;
    this.#length = 0;
    return bytes;
  }
}
