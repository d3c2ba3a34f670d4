import type { Ranges } from "./ranges.ts";
import { wrapOffset } from "./sequence.ts";

/** The number of blocks that fit beside timestamps (RFC 2018 §3); one more would fit without. */
const maxBlocks = 3;

/** The number of remembered ranges, so that blocks are repeated in case they get lost (RFC 2018 §4). */
const maxRecent = 8;

/**
 * Chooses the blocks of the SACK options: that of the latest segment first, then the most recently reported ones
 * (RFC 2018 §4). A segment received twice is reported once, before all others (RFC 2883).
 */
export class SackBlocks {
  readonly #initialSequence: number;
  readonly #ranges: Ranges;
  /** An offset in each of the ranges to report, latest first. */
  #recent: number[] = [];
  #duplicate: { readonly start: number; readonly end: number } | undefined;

  constructor(initialSequence: number, ranges: Ranges) {
    this.#initialSequence = initialSequence;
    this.#ranges = ranges;
  }

  /** Notes that data at `offset` was stored beyond a gap. */
  received(offset: number): void {
    const { start } = this.#rangeAt(offset);
    const others = this.#recent.filter((other) => this.#rangeAt(other).start !== start);
    this.#recent = [offset, ...others.slice(0, maxRecent - 1)];
  }

  /** Notes that data was received twice. */
  receivedAgain(start: number, end: number): void {
    this.#duplicate = { start, end };
  }

  /** True if the next segment has something to report. */
  get isNeeded(): boolean {
    return this.#ranges.size > 0 || this.#duplicate !== undefined;
  }

  /** Returns the edges for the next segment, as sequence numbers, and marks them as reported. */
  take(): readonly number[] {
    const edges: number[] = [];
    const { size } = this.#ranges;
    if (this.#duplicate !== undefined) {
      this.#append(edges, this.#duplicate);
      this.#duplicate = undefined;
    }
    if (size === 0) {
      this.#recent = [];
      return edges;
    }
    this.#recent = this.#recent.filter((offset) => this.#ranges.covers(offset, offset + 1));
    for (const offset of this.#recent) this.#append(edges, this.#rangeAt(offset));
    return edges;
  }

  #append(edges: number[], block: { readonly start: number; readonly end: number }): void {
    const start = wrapOffset(this.#initialSequence, block.start);
    // Ranges that were reported separately may have been joined.
    if (edges.length >= maxBlocks * 2 || edges.includes(start)) return;
    edges.push(start, wrapOffset(this.#initialSequence, block.end));
  }

  #rangeAt(offset: number): { readonly start: number; readonly end: number } {
    const index = this.#ranges.find(offset + 1);
    return { start: this.#ranges.start(index), end: this.#ranges.end(index) };
  }
}
