/** The size of a buffer, and the minimum room for a read, which is more than the kernel returns per call. */
const bufferBytes = 128 * 1024;
const leastBytes = 16 * 1024;

/**
 * A buffer for reads, whose bytes are contiguous until they are taken. It is reused, so that heavy output creates no
 * garbage, unless `keep` is called.
 */
export class OutputBuffer {
  #bytes: Buffer = Buffer.alloc(0);
  /** The range of the bytes that were read but not taken. */
  #start = 0;
  #end = 0;
  /** The bytes of earlier buffers that were full before they were taken. */
  readonly #earlier: Buffer[] = [];
  #isKept = false;

  /** Returns the room for the next read, which ends the previous one. */
  room(): Buffer {
    if (this.#start === this.#end && !this.#isKept) {
      this.#start = 0;
      this.#end = 0;
    }
    if (this.#bytes.length - this.#end < leastBytes) this.#replace();
    return this.#bytes.subarray(this.#end);
  }

  /** Records the number of bytes that were read. */
  add(bytes: number): void {
    this.#end += bytes;
  }

  /** Returns the bytes read since the last call. Later reads overwrite them, unless `keep` is called first. */
  take(): Buffer {
    const newest = this.#bytes.subarray(this.#start, this.#end);
    this.#start = this.#end;
    if (this.#earlier.length === 0) return newest;
    return Buffer.concat([...this.#earlier.splice(0), newest]);
  }

  /** Preserves the bytes taken so far. */
  keep(): void {
    this.#isKept = true;
  }

  #replace(): void {
    if (this.#start < this.#end) this.#earlier.push(this.#bytes.subarray(this.#start, this.#end));
    this.#bytes = Buffer.allocUnsafeSlow(bufferBytes);
    this.#start = 0;
    this.#end = 0;
    this.#isKept = false;
  }
}
