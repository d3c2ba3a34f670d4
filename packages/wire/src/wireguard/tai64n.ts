import { writeUint32 } from "../bytes/integers.ts";

const tai64nBytes = 12;
/** The label of 1970 in TAI, ten leap seconds included (docs/protocol/tailnet.md §5.1). */
const epochHigh = 0x4000_0000;
const epochLow = 0x0a;
/** Timestamps are coarse, so that they do not reveal the load of a machine. */
const coarseMask = 0xff00_0000;
/** The least difference of two coarse times, rounded up. */
const stepMs = 17;

/** Encodes a time in milliseconds since 1970, with coarse nanoseconds. */
export function encodeTai64n(unixMs: number): Uint8Array {
  const bytes = new Uint8Array(tai64nBytes);
  const seconds = Math.floor(unixMs / 1000) + epochLow;
  writeUint32(bytes, 0, epochHigh + Math.floor(seconds / 0x1_0000_0000));
  writeUint32(bytes, 4, seconds % 0x1_0000_0000);
  writeUint32(bytes, 8, (Math.floor((unixMs % 1000) * 1e6) & coarseMask) >>> 0);
  return bytes;
}

/** Returns true if a timestamp is later than another. */
export function isLater(one: Uint8Array, other: Uint8Array): boolean {
  for (let at = 0; at < tai64nBytes; at += 1) {
    const difference = (one[at] ?? 0) - (other[at] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

/** Timestamps that grow even when the clock does not. */
export class Timestamps {
  #lastMs = Number.NEGATIVE_INFINITY;

  next(unixMs: number): Uint8Array {
    this.#lastMs = Math.max(unixMs, this.#lastMs + stepMs);
    return encodeTai64n(this.#lastMs);
  }
}
