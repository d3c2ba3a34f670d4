import { FrameType, headerBytes, parseHeader } from "./header.ts";
import type { FrameHeader } from "./header.ts";

/** A frame as it arrives: its header, then for Data the payload in as many parts as there are chunks. */
export type FramePart =
  | { readonly type: "header"; readonly header: FrameHeader }
  | {
      readonly type: "payload";
      readonly header: FrameHeader;
      /** A view of the chunk. */
      readonly bytes: Uint8Array;
      readonly isLast: boolean;
    };

/** The part of a header between headers; one array for all readers. */
const nothing = new Uint8Array(0);

/** Cuts a byte stream, in chunks of any size, into frames. It holds back at most one header. */
export class FrameReader {
  /** The beginning of a header, fewer than 12 bytes. */
  #partial = nothing;
  #data: { readonly header: FrameHeader; missing: number } | undefined;
  #frames = 0;

  /** The number of headers read so far. */
  get frames(): number {
    return this.#frames;
  }

  /** The missing bytes of the current frame's payload. */
  get missingBytes(): number {
    return this.#data?.missing ?? 0;
  }

  /**
   * Returns the parts that are complete with `chunk`. Throws `YamuxError` "protocol-error"; the reader is unusable
   * then.
   */
  *read(chunk: Uint8Array): Generator<FramePart, void, undefined> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#data === undefined) {
        const header = this.#parseHeader(chunk, at);
        if (header === undefined) return;
        at += headerBytes - this.#partial.length;
        this.#partial = nothing;
        this.#frames += 1;
        if (header.type === FrameType.data && header.length > 0) {
          this.#data = { header, missing: header.length };
        }
        yield { type: "header", header };
      } else {
        const { header } = this.#data;
        const bytes = chunk.subarray(at, at + this.#data.missing);
        at += bytes.length;
        this.#data.missing -= bytes.length;
        const isLast = this.#data.missing === 0;
        if (isLast) this.#data = undefined;
        yield { type: "payload", header, bytes, isLast };
      }
    }
  }

  /** Returns the header that ends in `chunk`; otherwise keeps the incomplete part. */
  #parseHeader(chunk: Uint8Array, at: number): FrameHeader | undefined {
    if (this.#partial.length === 0 && chunk.length - at >= headerBytes)
      return parseHeader(chunk, at);
    const missing = chunk.subarray(at, at + headerBytes - this.#partial.length);
    const bytes = new Uint8Array(this.#partial.length + missing.length);
    bytes.set(this.#partial);
    bytes.set(missing, this.#partial.length);
    const header = parseHeader(bytes);
    if (header === undefined) this.#partial = bytes;
    return header;
  }
}
