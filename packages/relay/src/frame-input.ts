import { DerpFrameReader } from "@slipway/wire/derp/frame-reader";
import type { FrameVisitor } from "@slipway/wire/derp/frame-reader";

/** The received bytes of one connection that wait to be read as frames. */
export class FrameInput {
  readonly #reader: DerpFrameReader;
  readonly #chunks: Uint8Array[] = [];

  constructor(maxPayloadBytes: number) {
    this.#reader = new DerpFrameReader(maxPayloadBytes);
  }

  /** True if nothing waits except the beginning of a frame. */
  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  /** The bytes of an unfinished frame. */
  get unfinishedBytes(): number {
    return this.#reader.heldBytes;
  }

  /** Adds a chunk, which then belongs to the input. */
  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
  }

  /** Sets the largest payload of the frames that begin from now on. */
  limitPayload(maxBytes: number): void {
    this.#reader.limitPayload(maxBytes);
  }

  /** Ends `read` after the current frame. For visitors. */
  stop(): void {
    this.#reader.stop();
  }

  /** Visits the complete frames until a visitor calls `stop`. Throws the errors of `DerpFrameReader.read`. */
  read(visit: FrameVisitor): void {
    for (let chunk = this.#chunks[0]; chunk !== undefined; chunk = this.#chunks[0]) {
      const bytes = this.#reader.read(chunk, visit);
      if (bytes < chunk.length) {
        this.#chunks[0] = chunk.subarray(bytes);
        return;
      }
      this.#chunks.shift();
      if (this.#reader.isStopped) return;
    }
  }

  clear(): void {
    this.#chunks.length = 0;
  }
}
