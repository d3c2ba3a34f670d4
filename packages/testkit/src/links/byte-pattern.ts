import { Random } from "../random.ts";

/**
 * The length of the pattern, a prime: data that is moved by any usual size does not fit it. Short, because properties make
 * thousands of patterns, and a machine that is too busy to compile the loop interprets it.
 */
const periodBytes = 65_521;
const maxViewBytes = 128 * 1024;

/** Bytes that follow from a seed and an offset, so that data of any length is sent and compared without being stored. */
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

  /** Returns true if `bytes` are those from `offset`. */
  matches(offset: number, bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length; at += maxViewBytes) {
      const part = bytes.subarray(at, at + maxViewBytes);
      if (Buffer.compare(part, this.view(offset + at, part.length)) !== 0) return false;
    }
    return true;
  }
}
