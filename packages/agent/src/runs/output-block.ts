import type { OutputStream } from "@slipway/wire/services/run-frames";

/** The maximum size of a block in memory and on disk, in bytes. */
export const blockBytes = 64 * 1024;
const firstCapacity = 512;
const headerBytes = 5;
const streams: readonly OutputStream[] = ["stdout", "stderr"];

/** Output of one stream; `position` is that of its first byte among all output of the run. */
export interface OutputPiece {
  readonly stream: OutputStream;
  readonly position: number;
  readonly bytes: Uint8Array;
}

/**
 * A part of the output of a run, in records:
 *
 *     stream, 1 byte | length, 4 bytes | bytes
 */
export class OutputBlock {
  /** The position of the first byte. */
  readonly first: number;
  #end: number;
  #bytes: Buffer = Buffer.allocUnsafeSlow(firstCapacity);
  #used = 0;
  /** The offset of the last record, which grows while its stream goes on. */
  #last = -1;

  constructor(first: number) {
    this.first = first;
    this.#end = first;
  }

  /** The position after the last byte. */
  get end(): number {
    return this.#end;
  }

  /** True if there is no room for another record. */
  get isFull(): boolean {
    return this.#used + headerBytes >= blockBytes;
  }

  /** The records so far. They do not change, but the last one may grow. */
  get records(): Buffer {
    return this.#bytes.subarray(0, this.#used);
  }

  /** Appends as much as there is room for, and returns the number of bytes. */
  append(stream: OutputStream, bytes: Uint8Array): number {
    const kind = streams.indexOf(stream);
    const goesOn = this.#last >= 0 && this.#bytes[this.#last] === kind;
    const header = goesOn ? 0 : headerBytes;
    const count = Math.min(bytes.length, blockBytes - this.#used - header);
    if (count <= 0) return 0;
    this.#reserve(header + count);
    if (!goesOn) {
      this.#last = this.#used;
      this.#bytes[this.#used] = kind;
      this.#bytes.writeUInt32BE(0, this.#used + 1);
      this.#used += headerBytes;
    }
    this.#bytes.set(bytes.subarray(0, count), this.#used);
    this.#used += count;
    this.#end += count;
    this.#bytes.writeUInt32BE(this.#bytes.readUInt32BE(this.#last + 1) + count, this.#last + 1);
    return count;
  }

  /** Grows the buffer. Views of the former one stay as they are. */
  #reserve(count: number): void {
    const needed = this.#used + count;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(
      Math.min(blockBytes, Math.max(needed, 2 * this.#bytes.length)),
    );
    this.#bytes.copy(grown, 0, 0, this.#used);
    this.#bytes = grown;
  }
}

/** Returns the pieces of a block that follow a position, up to a number of bytes; views. */
export function readPieces(
  records: Buffer,
  first: number,
  { after, maxBytes }: { readonly after: number; readonly maxBytes: number },
): OutputPiece[] {
  const pieces: OutputPiece[] = [];
  let room = maxBytes;
  let position = first;
  for (let at = 0; at + headerBytes <= records.length && room > 0;) {
    const stream = streams[records[at] ?? streams.length];
    const start = at + headerBytes;
    const end = Math.min(start + records.readUInt32BE(at + 1), records.length);
    const skipped = Math.min(Math.max(0, after - position), end - start);
    const bytes = records.subarray(start + skipped, Math.min(end, start + skipped + room));
    if (stream !== undefined && bytes.length > 0) {
      pieces.push({ stream, position: position + skipped, bytes });
      room -= bytes.length;
    }
    position += end - start;
    at = end;
  }
  return pieces;
}
