/**
 * The latest output of a terminal. A position is the number of bytes that came before (docs/protocol/agent.md §7.1).
 */
export class OutputHistory {
  #ring: Buffer;
  #end = 0;

  constructor(maxBytes: number) {
    this.#ring = Buffer.alloc(maxBytes);
  }

  /** The position after the latest byte. */
  get end(): number {
    return this.#end;
  }

  /** Increases the size. */
  grow(maxBytes: number): void {
    if (maxBytes <= this.#ring.length) return;
    const kept = this.newest(this.#ring.length);
    this.#ring = Buffer.alloc(maxBytes);
    this.#end -= kept.length;
    this.add(kept);
  }

  /** Adds a chunk, and overwrites the oldest bytes. */
  add(chunk: Buffer): void {
    const size = this.#ring.length;
    const kept = chunk.subarray(Math.max(0, chunk.length - size));
    const at = (this.#end + chunk.length - kept.length) % size;
    const first = kept.copy(this.#ring, at);
    kept.copy(this.#ring, 0, first);
    this.#end += chunk.length;
  }

  /** Returns a copy of the latest bytes, at most `maxBytes`. */
  newest(maxBytes: number): Buffer {
    return this.#copy(Math.min(maxBytes, this.#ring.length, this.#end));
  }

  /** Returns a copy of the output after a position; undefined if some of it is gone, or the position is invalid. */
  since(position: number): Buffer | undefined {
    const bytes = this.#end - position;
    const isPosition = Number.isSafeInteger(position) && position >= 0 && bytes >= 0;
    const isKept = isPosition && bytes <= this.#ring.length;
    return isKept ? this.#copy(bytes) : undefined;
  }

  #copy(bytes: number): Buffer {
    const size = this.#ring.length;
    const from = (this.#end - bytes) % size;
    const first = this.#ring.subarray(from, Math.min(size, from + bytes));
    return Buffer.concat([first, this.#ring.subarray(0, bytes - first.length)]);
  }
}
