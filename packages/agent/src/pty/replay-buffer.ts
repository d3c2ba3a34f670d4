/** The newest output of a terminal, for those who come later (docs/protocol/agent.md §7). */
export class ReplayBuffer {
  readonly #ring: Buffer;
  /** The place of the next byte. */
  #at = 0;
  #isFull = false;

  constructor(maxBytes: number) {
    this.#ring = Buffer.alloc(maxBytes);
  }

  /** Copies the newest bytes of a chunk over the oldest that are kept. */
  add(chunk: Buffer): void {
    const size = this.#ring.length;
    const kept = chunk.subarray(Math.max(0, chunk.length - size));
    const first = kept.copy(this.#ring, this.#at);
    kept.copy(this.#ring, 0, first);
    const end = this.#at + kept.length;
    if (end >= size) this.#isFull = true;
    this.#at = end % size;
  }

  /** Returns a copy of what is kept. */
  read(): Buffer {
    const newest = this.#ring.subarray(0, this.#at);
    return Buffer.concat(this.#isFull ? [this.#ring.subarray(this.#at), newest] : [newest]);
  }
}
