/** The maximum number of frames in one piece: few, as each may cause an answer. */
const maxFrames = 16;
/** The cost of keeping a part of a message, in bytes. */
const partCost = 256;
/** The first code of control frames; they may come within a message (RFC 6455 section 5.5). */
const firstControlCode = 8;
const nothing = Buffer.alloc(0);

export interface SocketPiece {
  readonly bytes: Buffer;
  /** The number of frames that begin in it. */
  readonly frames: number;
}

/*
 *  0               1               2 …
 * +-+-+-+-+-------+-+-------------+--------------------+--------------+---------
 * |F|R|R|R| code  |M| length      | length, 0, 2 or 8  | key, 0 or 4  | payload
 * +-+-+-+-+-------+-+-------------+--------------------+--------------+---------
 */
/**
 * Cuts the bytes that the peer of a WebSocket sends into pieces of few frames, and counts the bytes of an unfinished
 * message. Reads only the headers of frames (RFC 6455 section 5.2), and leaves their faults to `ws`.
 */
export class SocketPieces {
  readonly #chunks: Buffer[] = [];
  /** The beginning of a header; empty between headers. */
  #header: Buffer = nothing;
  #isControl = false;
  #isLast = true;
  /** The bytes of the frame's payload that are still to come. */
  #missingBytes = 0;
  #messageBytes = 0;
  #heldBytes = 0;

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  /** The bytes of the message that is being received, with those of its last frame that are still to come. */
  get messageBytes(): number {
    return this.#messageBytes;
  }

  /** The bytes that are held of a message until the rest of it arrives, with the cost of keeping them. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  add(chunk: Buffer): void {
    if (chunk.length > 0) this.#chunks.push(chunk);
  }

  /** Takes the next piece, a view; undefined if there is nothing. */
  take(): SocketPiece | undefined {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return undefined;
    let at = 0;
    let frames = 0;
    while (at < chunk.length && frames < maxFrames) {
      if (this.#missingBytes > 0) at += this.#takePayload(chunk.length - at);
      else {
        at += this.#takeHeader(chunk, at);
        if (this.#header.length === 0) frames += 1;
      }
    }
    // The payload of the last frame belongs to it.
    if (this.#missingBytes > 0) at += this.#takePayload(chunk.length - at);
    if (at === chunk.length) return { bytes: chunk, frames };
    this.#chunks.unshift(chunk.subarray(at));
    return { bytes: chunk.subarray(0, at), frames };
  }

  clear(): void {
    this.#chunks.length = 0;
  }

  #takePayload(bytes: number): number {
    const taken = Math.min(bytes, this.#missingBytes);
    this.#missingBytes -= taken;
    if (!this.#isControl) this.#heldBytes += taken;
    this.#endFrame();
    return taken;
  }

  /** Takes a header or a part of one, which it keeps; returns the number of bytes taken. */
  #takeHeader(chunk: Buffer, at: number): number {
    const before = this.#header.length;
    // Nearly every header is in one chunk, and is read where it is.
    const header =
      before === 0
        ? chunk.subarray(at, at + maxHeaderBytes)
        : Buffer.concat([this.#header, chunk.subarray(at, at + maxHeaderBytes - before)]);
    const bytes = headerBytes(header);
    if (header.length < bytes) {
      this.#header = Buffer.from(header);
      return header.length - before;
    }
    this.#header = nothing;
    this.#beginFrame(header);
    return bytes - before;
  }

  #beginFrame(header: Buffer): void {
    const first = header[0] ?? 0;
    this.#isControl = (first & 0x0f) >= firstControlCode;
    this.#isLast = (first & 0x80) !== 0;
    this.#missingBytes = payloadBytes(header);
    if (!this.#isControl) {
      this.#messageBytes += this.#missingBytes;
      this.#heldBytes += partCost;
    }
    this.#endFrame();
  }

  /** Forgets the message that ends with the frame, if the frame is complete. */
  #endFrame(): void {
    if (this.#missingBytes > 0 || this.#isControl || !this.#isLast) return;
    this.#messageBytes = 0;
    this.#heldBytes = 0;
  }
}

const maxHeaderBytes = 14;

/** Returns the length of a header; of an incomplete one, any length above that of the part. */
function headerBytes(header: Buffer): number {
  if (header.length < 2) return 2;
  const second = header[1] ?? 0;
  const length = second & 0x7f;
  const extended = length === 127 ? 8 : length === 126 ? 2 : 0;
  return 2 + extended + ((second & 0x80) === 0 ? 0 : 4);
}

function payloadBytes(header: Buffer): number {
  const length = (header[1] ?? 0) & 0x7f;
  if (length === 126) return header.readUInt16BE(2);
  return length === 127 ? Number(header.readBigUInt64BE(2)) : length;
}
