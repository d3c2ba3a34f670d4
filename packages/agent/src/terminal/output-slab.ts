/** The size of a slab, and the least room that a read is given: what the kernel has ready at once is less. */
const slabBytes = 128 * 1024;
const leastBytes = 16 * 1024;

/** Room for reads, each of which gives out a view that nobody writes to again. */
export class OutputSlab {
  #slab: Buffer = Buffer.alloc(0);
  #used = 0;

  /** Returns the room for the next read. */
  room(): Buffer {
    if (this.#slab.length - this.#used < leastBytes) {
      this.#slab = Buffer.allocUnsafeSlow(slabBytes);
      this.#used = 0;
    }
    return this.#slab.subarray(this.#used);
  }

  /** Returns the bytes that were read into the room. */
  take(bytes: number): Buffer {
    const start = this.#used;
    this.#used += bytes;
    return this.#slab.subarray(start, this.#used);
  }
}
