/** Room for about 200 datagrams of full size, so that allocating costs each of them next to nothing. */
const chunkBytes = 256 * 1024;

/**
 * Views of large arrays of zeros, for datagrams that their owner may keep indefinitely. An array is freed with the
 * last view of it.
 */
export class DatagramPool {
  #chunk = new Uint8Array(0);
  #used = 0;

  /** Returns `length` zeros that nothing else uses. */
  take(length: number): Uint8Array {
    if (this.#used + length > this.#chunk.length) {
      this.#chunk = new Uint8Array(Math.max(chunkBytes, length));
      this.#used = 0;
    }
    const start = this.#used;
    this.#used = start + length;
    return this.#chunk.subarray(start, this.#used);
  }
}
