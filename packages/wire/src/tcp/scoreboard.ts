import { Ranges } from "./ranges.ts";
import { FlightOrder } from "./sent-segment.ts";
import type { SentSegment } from "./sent-segment.ts";

/** The number of remembered SACK ranges. Further reports of a peer are ignored. */
const maxSackedRanges = 4096;

/**
 * The segments from the first unacknowledged one to the last one sent, with what the peer reported of each.
 * `delivered` is called once for each segment that the peer acknowledges.
 */
export class Scoreboard {
  readonly #delivered: (segment: SentSegment, now: number) => void;
  readonly #segments: (SentSegment | undefined)[] = [];
  /** Segments before this index are acknowledged; they are dropped together, so that acknowledging stays linear. */
  #head = 0;
  readonly #order = new FlightOrder();
  readonly #sacked = new Ranges();
  #flyingBytes = 0;
  #sackedBytes = 0;
  #sackedSegments = 0;
  #lostSegments = 0;
  /** No segment before this one is lost. */
  #lostFrom = 0;

  /** Creates an empty board. `delivered` is called for each segment known to have arrived. */
  constructor(delivered: (segment: SentSegment, now: number) => void) {
    this.#delivered = delivered;
  }

  /** The number of unacknowledged segments. */
  get size(): number {
    return this.#segments.length - this.#head;
  }

  /** The bytes assumed to be in flight: neither reported nor lost (RFC 6675, "pipe"). */
  get flyingBytes(): number {
    return this.#flyingBytes;
  }

  get sackedBytes(): number {
    return this.#sackedBytes;
  }

  get sackedSegments(): number {
    return this.#sackedSegments;
  }

  get hasLost(): boolean {
    return this.#lostSegments > 0;
  }

  /** The first unacknowledged segment. */
  get first(): SentSegment | undefined {
    return this.#segments[this.#head];
  }

  /** The segment with the highest offsets. */
  get last(): SentSegment | undefined {
    return this.#segments.at(-1);
  }

  /** The flying segment that was sent first; the others follow by `later`. */
  get longestInFlight(): SentSegment | undefined {
    return this.#order.first;
  }

  /** Adds a segment that is sent now, behind all others. */
  sent(segment: SentSegment): void {
    this.#segments.push(segment);
    this.#order.append(segment);
    this.#flyingBytes += segment.length;
  }

  /** Notes that a segment is retransmitted now. */
  sentAgain(segment: SentSegment, now: number): void {
    if (segment.state === "flying") {
      this.#order.remove(segment);
    } else {
      if (segment.state === "lost") this.#lostSegments -= 1;
      this.#flyingBytes += segment.length;
      segment.state = "flying";
    }
    segment.sentAt = now;
    segment.isRetransmitted = true;
    this.#order.append(segment);
  }

  /** Splits a segment into two with the same state and time, and returns the second, which begins at `at`. */
  split(segment: SentSegment, at: number): SentSegment {
    const rest = segment.split(at);
    this.#segments.splice(this.#indexOf(segment.start) + 1, 0, rest);
    if (segment.state === "flying") this.#order.insertAfter(segment, rest);
    else if (segment.state === "lost") this.#lostSegments += 1;
    else this.#sackedSegments += 1;
    return rest;
  }

  /** Drops everything below `offset`: the peer has acknowledged it. */
  acknowledge(offset: number, now: number): void {
    for (let first = this.first; first !== undefined && first.end <= offset; first = this.first) {
      this.#segments[this.#head] = undefined;
      this.#head += 1;
      const wasSacked = first.state === "sacked";
      this.#leave(first);
      if (!wasSacked) this.#delivered(first, now);
    }
    const { first } = this;
    if (first !== undefined && first.start < offset) this.#cut(first, offset);
    this.#sacked.removeBelow(offset);
    this.#dropAcknowledged();
  }

  /** Notes that the peer has reported the range, which lies between the acknowledged and the sent offsets. */
  sack(start: number, end: number, now: number): void {
    if (this.#sacked.size >= maxSackedRanges && !this.#sacked.touches(start, end)) return;
    const gaps: number[] = [];
    this.#sacked.forEachGap(start, end, (gapStart, gapEnd) => gaps.push(gapStart, gapEnd));
    if (gaps.length === 0) return;
    this.#sacked.add(start, end);
    for (let index = 0; index < gaps.length; index += 2) {
      this.#sackSegments(gaps[index] ?? 0, gaps[index + 1] ?? 0, now);
    }
  }

  /** Marks a flying segment as lost. */
  lose(segment: SentSegment): void {
    this.#order.remove(segment);
    this.#flyingBytes -= segment.length;
    segment.state = "lost";
    this.#lostSegments += 1;
    this.#lostFrom = Math.min(this.#lostFrom, this.#indexOf(segment.start));
  }

  /** Returns the first lost segment. */
  firstLost(): SentSegment | undefined {
    if (this.#lostSegments === 0) return undefined;
    this.#lostFrom = Math.max(this.#lostFrom, this.#head);
    while (this.#lostFrom < this.#segments.length) {
      const segment = this.#segments[this.#lostFrom];
      if (segment?.state === "lost") return segment;
      this.#lostFrom += 1;
    }
    return undefined;
  }

  /** Forgets all reports: the peer may have dropped reported data (RFC 2018 §8). Reported segments count as lost. */
  forgetSacks(): void {
    this.#sacked.clear();
    for (let index = this.#head; index < this.#segments.length; index += 1) {
      const segment = this.#segments[index];
      if (segment?.state !== "sacked") continue;
      segment.state = "lost";
      this.#lostSegments += 1;
      this.#sackedBytes -= segment.length;
      this.#sackedSegments -= 1;
    }
    this.#lostFrom = this.#head;
  }

  /** Marks all lost segments as flying again, as if they were sent now: the losses proved false. */
  forgiveLosses(now: number): void {
    for (let lost = this.firstLost(); lost !== undefined; lost = this.firstLost()) {
      lost.state = "flying";
      lost.sentAt = now;
      this.#lostSegments -= 1;
      this.#flyingBytes += lost.length;
      this.#order.append(lost);
    }
  }

  /** Marks as reported the segments that a new range covers entirely, alone or together with adjacent ranges. */
  #sackSegments(start: number, end: number, now: number): void {
    for (let index = this.#indexOf(start); index < this.#segments.length; index += 1) {
      const segment = this.#segments[index];
      if (segment === undefined || segment.start >= end) return;
      if (segment.state === "sacked" || !this.#sacked.covers(segment.start, segment.end)) continue;
      this.#leave(segment);
      segment.state = "sacked";
      this.#sackedBytes += segment.length;
      this.#sackedSegments += 1;
      this.#delivered(segment, now);
    }
  }

  /** Removes a segment from the sums and the list of its state. */
  #leave(segment: SentSegment): void {
    switch (segment.state) {
      case "flying":
        this.#order.remove(segment);
        this.#flyingBytes -= segment.length;
        return;
      case "lost":
        this.#lostSegments -= 1;
        return;
      case "sacked":
        this.#sackedBytes -= segment.length;
        this.#sackedSegments -= 1;
    }
  }

  #cut(segment: SentSegment, offset: number): void {
    const cut = offset - segment.start;
    segment.start = offset;
    if (segment.state === "flying") this.#flyingBytes -= cut;
    if (segment.state === "sacked") this.#sackedBytes -= cut;
  }

  /** Returns the index of the segment that contains `offset`, or would contain it. */
  #indexOf(offset: number): number {
    let low = this.#head;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#segments[middle]?.end ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #dropAcknowledged(): void {
    if (this.#head === this.#segments.length) this.#segments.length = 0;
    else if (this.#head >= 64 && this.#head * 2 >= this.#segments.length) {
      this.#segments.splice(0, this.#head);
    } else return;
    this.#lostFrom = Math.max(0, this.#lostFrom - this.#head);
    this.#head = 0;
  }
}
