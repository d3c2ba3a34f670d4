import { GrowingBuffer } from "../bytes/growing-buffer.ts";
import { DerpError } from "./errors.ts";
import { derpHeaderBytes, payloadLength } from "./header.ts";

/**
 * Receives a whole frame: its header at `start` of `bytes`, its payload up to `end`. The visitor may keep and change these
 * bytes, and no others.
 */
export type FrameVisitor = (bytes: Uint8Array, start: number, end: number) => void;

/**
 * Cuts a byte stream, in chunks of any size, into frames. A frame within one chunk is not copied; of a frame that
 * spans chunks, only the received bytes are held, at most a frame of the largest size.
 */
export class DerpFrameReader {
  #maxPayloadBytes: number;
  /** The beginning of a frame that continues in the next chunk. */
  readonly #partial = new GrowingBuffer();
  #isStopped = false;

  constructor(maxPayloadBytes: number) {
    this.#maxPayloadBytes = maxPayloadBytes;
  }

  /** The number of bytes held back. */
  get heldBytes(): number {
    return this.#partial.length;
  }

  /** Sets the largest payload of the frames that begin from now on. */
  limitPayload(maxBytes: number): void {
    this.#maxPayloadBytes = maxBytes;
  }

  /** True if a visitor ended the last `read`. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Ends `read` after the current frame. For visitors. */
  stop(): void {
    this.#isStopped = true;
  }

  /**
   * Visits the frames that are complete with `chunk`, which then belongs to the reader. Returns the number of bytes
   * read: all, unless a visitor has called `stop`; pass the rest to the next call. Throws `DerpError`
   * "frame-too-large", and any error of the visitor; the reader is unusable then.
   */
  read(chunk: Uint8Array, visit: FrameVisitor): number {
    this.#isStopped = false;
    let at = this.#partial.length === 0 ? 0 : this.#complete(chunk, visit);
    while (at < chunk.length && !this.#isStopped) {
      const end =
        chunk.length - at < derpHeaderBytes ? Infinity : at + this.#frameLength(chunk, at);
      if (end > chunk.length) {
        this.#partial.append(chunk.subarray(at));
        return chunk.length;
      }
      visit(chunk, at, end);
      at = end;
    }
    return at;
  }

  /** Completes the frame that was cut off; returns the number of bytes of the chunk that belong to it. */
  #complete(chunk: Uint8Array, visit: FrameVisitor): number {
    const partial = this.#partial;
    let at = 0;
    const take = (length: number): void => {
      const missing = chunk.subarray(at, at + Math.max(0, length - partial.length));
      partial.append(missing);
      at += missing.length;
    };
    take(derpHeaderBytes);
    if (partial.length < derpHeaderBytes) return at;
    const length = this.#frameLength(partial.view(), 0);
    take(length);
    if (partial.length < length) return at;
    const frame = partial.take();
    visit(frame, 0, frame.length);
    return at;
  }

  #frameLength(bytes: Uint8Array, at: number): number {
    const length = payloadLength(bytes, at);
    if (length <= this.#maxPayloadBytes) return derpHeaderBytes + length;
    throw new DerpError(
      "frame-too-large",
      `frame of type ${String(bytes[at])} with ${String(length)} bytes, wanted at most ${String(this.#maxPayloadBytes)}`,
    );
  }
}
