import { ProtobufError } from "./errors.ts";

const maxVarintBytes = 10;

/** The wire types; the two of groups are unused. */
export const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Returns the tag of a field whose value is a varint. */
export function varintTag(field: number): number {
  return field * 8 + wireType.varint;
}

/** Returns the tag of a field whose value is length-delimited: bytes, a text, a message. */
export function bytesTag(field: number): number {
  return field * 8 + wireType.bytes;
}

/**
 * Reads the fields of a message in place, for messages so frequent that an object for each costs too much. Each call
 * takes the end of the message that it reads. Throws `ProtobufError` "malformed-message".
 */
export class FieldReader {
  readonly #bytes: Uint8Array;
  /** The offset of the next field, or of the announced value. */
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Reads a varint, exact up to 2^53; a negative number is above 2^63. */
  varint(end: number): number {
    let value = 0;
    let scale = 1;
    const last = Math.min(end, this.at + maxVarintBytes);
    for (let at = this.at; at < last; at += 1) {
      const byte = this.#bytes[at] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.at = at + 1;
        return value;
      }
      scale *= 0x80;
    }
    throw malformed(`varint at ${this.at} does not end`);
  }

  /** Counts the consecutive varints from `at` to `end`, without reading them. */
  countVarints(end: number): number {
    let count = 0;
    for (let at = this.at; at < end; at += 1) if ((this.#bytes[at] ?? 0) < 0x80) count += 1;
    return count;
  }

  /** Reads a length and returns the end of the value that follows; the value begins at `at`. */
  length(end: number): number {
    const length = this.varint(end);
    const valueEnd = this.at + length;
    if (valueEnd > end) throw malformed(`${length} bytes at ${this.at}, at most ${end - this.at}`);
    return valueEnd;
  }

  /** Skips the value of an unwanted field. */
  skip(tag: number, end: number): void {
    const type = tag % 8;
    if (tag < 8) throw malformed(`field 0 at ${this.at}`);
    if (type === wireType.varint) this.varint(end);
    else if (type === wireType.bytes) this.at = this.length(end);
    else if (type === wireType.fixed32) this.#pass(4, end);
    else if (type === wireType.fixed64) this.#pass(8, end);
    else throw malformed(`wire type ${type} at ${this.at}, wanted 0, 1, 2 or 5`);
  }

  #pass(length: number, end: number): void {
    if (this.at + length > end) throw malformed(`${end - this.at} bytes left, wanted ${length}`);
    this.at += length;
  }
}

function malformed(text: string): ProtobufError {
  return new ProtobufError("malformed-message", text);
}
