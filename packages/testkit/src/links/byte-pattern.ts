import { Random } from "../random.ts";

/**
 * The length of the pattern, a prime, so it does not align with any usual block size. It is short because properties
 * create thousands of patterns, and on a busy machine the loop runs before it is compiled.
 */
const periodBytes = 65_521;
const maxViewBytes = 128 * 1024;

/** Bytes derived from a seed and an offset, so that data of any length is sent and compared without storing it. */
export class BytePattern {
  readonly #bytes: Uint8Array;

  constructor(seed: number) {
    const random = new Random(seed);
    this.#bytes = new Uint8Array(periodBytes + maxViewBytes);
    for (let at = 0; at < periodBytes; at += 1) this.#bytes[at] = random.below(256);
    for (let at = periodBytes; at < this.#bytes.length; at += periodBytes) {
      this.#bytes.copyWithin(at, 0, periodBytes);
    }
  }

  /** Returns a view of up to `length` bytes from `offset`: at most 128 KiB. Do not write to it. */
  view(offset: number, length: number): Uint8Array {
    const start = offset % periodBytes;
    return this.#bytes.subarray(start, start + Math.min(length, maxViewBytes));
  }

  /** Reports whether `bytes` are those at `offset`. */
  matches(offset: number, bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length; at += maxViewBytes) {
      const part = bytes.subarray(at, at + maxViewBytes);
      if (Buffer.compare(part, this.view(offset + at, part.length)) !== 0) return false;
    }
    return true;
  }
}
