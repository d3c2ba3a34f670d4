import { ByteBlocks } from "./byte-blocks.ts";
import { Ranges } from "./ranges.ts";

/**
 * The maximum number of gaps in the received data. Data that would add another gap is dropped, and comes again; a
 * window of the largest size with every second segment lost has fewer.
 */
export const maxOutOfOrderRanges = 1024;

/** The fate of data: whether it is at the next expected byte, and whether any of it is new. */
export type Insertion = "in-order" | "out-of-order" | "duplicate" | "refused";

/*
 *      consumed          next
 *  ------+-----------------+------------[ range )-------[ range )----
 *        | to be read      | gap                   gap
 *
 * Bytes are copied once, from the packet to where they are read.
 */
/** The data of the peer from the first unconsumed byte, with gaps where segments are missing. */
export class ReceiveQueue {
  readonly #blocks = new ByteBlocks();
  readonly #ranges = new Ranges();
  #consumed: number;
  #next: number;

  /** Creates a queue whose first byte has the offset `first`. */
  constructor(first: number) {
    this.#consumed = first;
    this.#next = first;
  }

  /** The offset up to which the application has consumed. */
  get consumed(): number {
    return this.#consumed;
  }

  /** The offset of the first missing byte. */
  get next(): number {
    return this.#next;
  }

  /** The number of readable bytes. */
  get readable(): number {
    return this.#next - this.#consumed;
  }

  /** The bytes of memory that the data occupies. */
  get heldBytes(): number {
    return this.#blocks.heldBytes;
  }

  /** The ranges beyond a gap. */
  get outOfOrder(): Ranges {
    return this.#ranges;
  }

  /**
   * Copies the new part of `bytes` from `start` to `end`, whose first byte has `offset`. The first bytes to arrive
   * for an offset stay. The caller has removed bytes beyond the window.
   */
  insert(offset: number, bytes: Uint8Array, start: number, end: number): Insertion {
    const dataEnd = offset + (end - start);
    const from = Math.max(offset, this.#next);
    if (from >= dataEnd || this.#ranges.covers(from, dataEnd)) return "duplicate";
    const isInOrder = from === this.#next;
    if (isInOrder && this.#ranges.size === 0) {
      this.#blocks.write(from, bytes, start + (from - offset), end);
      this.#next = dataEnd;
      return "in-order";
    }
    if (!isInOrder && this.#isFull && !this.#ranges.touches(from, dataEnd)) return "refused";
    this.#ranges.forEachGap(from, dataEnd, (gapStart, gapEnd) => {
      this.#blocks.write(gapStart, bytes, start + (gapStart - offset), start + (gapEnd - offset));
    });
    this.#ranges.add(from, dataEnd);
    if (!isInOrder) return "out-of-order";
    this.#next = this.#ranges.end(0);
    this.#ranges.removeBelow(this.#next);
    return "in-order";
  }

  get #isFull(): boolean {
    return this.#ranges.size >= maxOutOfOrderRanges;
  }

  /**
   * Returns the next readable bytes, as many as are contiguous; `undefined` if there are none. The view is never
   * written to: it may be kept. The bytes are returned again until they are consumed.
   */
  peek(): Uint8Array | undefined {
    if (this.#consumed === this.#next) return undefined;
    return this.#blocks.view(this.#consumed, this.#next);
  }

  /** Consumes `count` bytes, at most the readable ones. */
  consume(count: number): void {
    this.#consumed += count;
    this.#blocks.discardBelow(this.#consumed);
  }
}
