import { ByteBlocks, SpareBlocks } from "./byte-blocks.ts";

/** The room of a new connection; it grows with the congestion window up to the maximum. */
const initialLimitBytes = 256 * 1024;

/**
 * Shared by all connections, so that one that is idle after each burst, such as a terminal's, keeps none for itself.
 */
const spareBlocks = new SpareBlocks(16);

/**
 * The data that the peer has not acknowledged, from the first byte to the last written one. Bytes are copied twice on
 * their way: from the writer to the queue, which makes it safe to reuse a buffer, and from the queue to a packet.
 */
export class SendQueue {
  readonly #blocks = new ByteBlocks(spareBlocks);
  readonly #maxBytes: number;
  #limit: number;
  /** The offset of the first kept byte. */
  #start = 1;
  #end = 1;
  /** True if a write was cut short since the queue was last low. */
  #wasFull = false;

  /** Creates a queue that may grow to `maxBytes`. The first byte has the offset 1. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#limit = Math.min(maxBytes, initialLimitBytes);
  }

  /** The offset after the last written byte. */
  get end(): number {
    return this.#end;
  }

  /** The number of kept bytes. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** The bytes of memory that they occupy. */
  get heldBytes(): number {
    return this.#blocks.heldBytes;
  }

  /** The number of bytes that `write` would accept now. */
  get room(): number {
    return Math.max(0, this.#limit - this.length);
  }

  /** Copies as much of `bytes` as there is room for, and returns the number of copied bytes. */
  write(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, this.room);
    if (taken < bytes.length) this.#wasFull = true;
    this.#blocks.write(this.#end, bytes, 0, taken);
    this.#end += taken;
    return taken;
  }

  /** Copies `length` bytes from `offset` into a packet. */
  copyTo(target: Uint8Array, at: number, offset: number, length: number): void {
    this.#blocks.copyTo(target, at, offset, length);
  }

  /** Drops everything below `offset`, which the peer has acknowledged. */
  acknowledge(offset: number): void {
    this.#start = Math.min(offset, this.#end);
    // An idle connection keeps no block.
    if (this.#start === this.#end) this.#blocks.clear(this.#end);
    else this.#blocks.discardBelow(this.#start);
  }

  /** Makes room for twice the congestion window, so that a writer need not keep pace with each ACK. */
  adapt(congestionWindow: number): void {
    const wanted = Math.min(2 * Math.floor(congestionWindow), this.#maxBytes);
    if (wanted > this.#limit) this.#limit = wanted;
  }

  /** Returns true once after a write that was cut short, when at most half of the room is in use. */
  takeWritable(): boolean {
    if (!this.#wasFull || this.length > this.#limit / 2) return false;
    this.#wasFull = false;
    return true;
  }

  /** Drops everything. */
  clear(): void {
    this.#start = this.#end;
    this.#blocks.clear(this.#end);
  }
}
