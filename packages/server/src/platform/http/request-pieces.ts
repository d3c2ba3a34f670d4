const headerEnd = Buffer.from("\r\n\r\n");
const nothing = Buffer.alloc(0);
/** The bytes of a header's end that may be in the previous chunk. */
const maxOverlap = headerEnd.length - 1;

/**
 * Cuts the bytes of a connection so that no piece contains the end of more than one header, and so no more than one
 * request (RFC 9112 section 2.1). A chunked body ends as a header does; a body with a length is cut by its length.
 */
export class RequestPieces {
  #chunks: Buffer[] = [];
  /** The last bytes of the previous piece. */
  #tail: Buffer = nothing;
  #bodyBytes = 0;

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  add(chunk: Buffer): void {
    if (chunk.length > 0) this.#chunks.push(chunk);
  }

  /** Records that the last piece ended a header, and that a body of that size follows. */
  expectBody(bytes: number): void {
    this.#bodyBytes = bytes;
  }

  /** Takes the next piece, a view; undefined if there is nothing. */
  take(): Buffer | undefined {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return undefined;
    const end = this.#bodyBytes > 0 ? this.#takeBody(chunk) : this.#endOfHeader(chunk);
    if (end < chunk.length) this.#chunks.unshift(chunk.subarray(end));
    return chunk.subarray(0, end);
  }

  /** Takes everything that is left. */
  takeAll(): Buffer {
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [];
    return all;
  }

  #takeBody(chunk: Buffer): number {
    const bytes = Math.min(this.#bodyBytes, chunk.length);
    this.#bodyBytes -= bytes;
    this.#tail = nothing;
    return bytes;
  }

  #endOfHeader(chunk: Buffer): number {
    const start = this.#startOfEnd(chunk);
    if (start !== undefined) {
      this.#tail = nothing;
      return start + headerEnd.length;
    }
    this.#tail =
      chunk.length < maxOverlap
        ? Buffer.concat([this.#tail, chunk]).subarray(-maxOverlap)
        : chunk.subarray(-maxOverlap);
    return chunk.length;
  }

  /** Returns where the end of a header starts, before the chunk if it is negative; undefined if there is none. */
  #startOfEnd(chunk: Buffer): number | undefined {
    if (this.#tail.length > 0) {
      const across = Buffer.concat([this.#tail, chunk.subarray(0, maxOverlap)]);
      const early = across.indexOf(headerEnd);
      if (early !== -1) return early - this.#tail.length;
    }
    const start = chunk.indexOf(headerEnd);
    return start === -1 ? undefined : start;
  }
}
