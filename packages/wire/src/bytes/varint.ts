import { BytesError } from "./errors.ts";

/** The longest varint: 64 bits in groups of 7. */
const maxVarintBytes = 10;

/** A number and the offset after it. */
export interface ParsedVarint {
  readonly value: number;
  readonly next: number;
}

/**
 * Reads an unsigned LEB128 number, low group first, at `offset`; `undefined` if more bytes are needed. Throws
 * `BytesError` "malformed-varint" above 10 bytes and above 2^53 - 1, which our peers never reach.
 */
export function parseVarint(bytes: Uint8Array, offset: number): ParsedVarint | undefined {
  let value = 0;
  let scale = 1;
  for (let length = 0; length < maxVarintBytes; length += 1) {
    const byte = bytes[offset + length];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * scale;
    if (value > Number.MAX_SAFE_INTEGER) {
      throw new BytesError("malformed-varint", "varint above 2^53 - 1");
    }
    if (byte < 0x80) return { value, next: offset + length + 1 };
    scale *= 0x80;
  }
  throw new BytesError("malformed-varint", `varint longer than ${String(maxVarintBytes)} bytes`);
}

/** Appends `value`, a safe non-negative integer, to `out`. */
export function appendVarint(out: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  out.push(rest);
}
