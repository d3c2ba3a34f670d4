/** Frames that wait for a relay, oldest first, up to a number of bytes; the oldest make room for new ones. */
export class SendQueue {
  readonly #maxBytes: number;
  #frames: Uint8Array[] = [];
  /** The index of the oldest frame; those before it are gone. */
  #head = 0;
  #bytes = 0;
  #dropped = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The number of frames dropped to make room. */
  get dropped(): number {
    return this.#dropped;
  }

  push(frame: Uint8Array): void {
    this.#frames.push(frame);
    this.#bytes += frame.length;
    while (this.#bytes > this.#maxBytes && this.#shift() !== undefined) this.#dropped += 1;
  }

  /**
   * Removes and returns the oldest frames up to a number of bytes, but at least one. Adjacent frames in one buffer
   * become one piece.
   */
  take(maxBytes: number): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let taken = 0;
    for (let next = this.#peek(); next !== undefined; next = this.#peek()) {
      if (taken > 0 && taken + next.length > maxBytes) break;
      this.#shift();
      taken += next.length;
      const last = pieces.at(-1);
      if (last !== undefined && isNext(last, next)) {
        pieces[pieces.length - 1] = join(last, next);
      } else {
        pieces.push(next);
      }
    }
    return pieces;
  }

  clear(): void {
    this.#frames = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  #peek(): Uint8Array | undefined {
    return this.#frames[this.#head];
  }

  #shift(): Uint8Array | undefined {
    const frame = this.#frames[this.#head];
    if (frame === undefined) return undefined;
    this.#head += 1;
    this.#bytes -= frame.length;
    if (this.#head === this.#frames.length) {
      this.#frames = [];
      this.#head = 0;
    } else if (this.#head >= 1024) {
      this.#frames.splice(0, this.#head);
      this.#head = 0;
    }
    return frame;
  }
}

function isNext(one: Uint8Array, other: Uint8Array): boolean {
  return one.buffer === other.buffer && one.byteOffset + one.length === other.byteOffset;
}

function join(one: Uint8Array, other: Uint8Array): Uint8Array {
  return new Uint8Array(one.buffer, one.byteOffset, one.length + other.length);
}
