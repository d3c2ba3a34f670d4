const headerEnd = Buffer.from("\r\n\r\n");
/** The bytes of a header's end that may be in the previous chunk. */
const maxOverlap = headerEnd.length - 1;

/**
 * Cuts the bytes of a connection so that no piece contains the end of more than one header, and so no more than one
 * request (RFC 9112 section 2.1). A chunked body ends as a header does; a body with a length is cut by its length.
 */
export class RequestPieces {
  #chunks: Buffer[] = [];
  /** The last bytes of the previous piece. */
  #tail: Buffer = Buffer.alloc(0);
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
    this.#tail = Buffer.alloc(0);
    return bytes;
  }

  #endOfHeader(chunk: Buffer): number {
    const across = Buffer.concat([this.#tail, chunk.subarray(0, maxOverlap)]);
    const early = across.indexOf(headerEnd);
    const start = early === -1 ? chunk.indexOf(headerEnd) : early - this.#tail.length;
    if (early !== -1 || start !== -1) {
      this.#tail = Buffer.alloc(0);
      return start + headerEnd.length;
    }
    this.#tail =
      chunk.length < maxOverlap ? across.subarray(-maxOverlap) : chunk.subarray(-maxOverlap);
    return chunk.length;
  }
}
