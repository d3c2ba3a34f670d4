/** The size of a buffer, and the least room that a read is given: what the kernel has ready at once is less. */
const bufferBytes = 128 * 1024;
const leastBytes = 16 * 1024;

/**
 * Room for reads, whose bytes lie together until they are taken. It is used again and again, so that much output makes no
 * garbage, unless somebody keeps what was taken.
 */
export class OutputBuffer {
  #bytes: Buffer = Buffer.alloc(0);
  /** The place of what was read and not taken. */
  #start = 0;
  #end = 0;
  /** The bytes of earlier buffers that were full before anybody took them. */
  readonly #earlier: Buffer[] = [];
  #isKept = false;

  /** Returns the room for the next read; the one before ends here. */
  room(): Buffer {
    if (this.#start === this.#end && !this.#isKept) {
      this.#start = 0;
      this.#end = 0;
    }
    if (this.#bytes.length - this.#end < leastBytes) this.#replace();
    return this.#bytes.subarray(this.#end);
  }

  /** Notes the bytes that were read into the room. */
  add(bytes: number): void {
    this.#end += bytes;
  }

  /** Returns what was read since the last time. It is overwritten by later reads, unless `keep` is called before. */
  take(): Buffer {
    const newest = this.#bytes.subarray(this.#start, this.#end);
    this.#start = this.#end;
    if (this.#earlier.length === 0) return newest;
    return Buffer.concat([...this.#earlier.splice(0), newest]);
  }

  /** Has nothing written over what was taken so far. */
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
