/**
 * The state of a segment in flight:
 * - `flying`: it may still arrive;
 * - `lost`: it must be retransmitted;
 * - `sacked`: the peer has it.
 */
export type SegmentState = "flying" | "lost" | "sacked";

/** A sent, unacknowledged segment: while it flies, a link of the list by time of transmission. */
export class SentSegment {
  /** The offset of its first byte; moved up when the peer acknowledges a part. */
  start: number;
  /** The offset after its last byte, or after its FIN. */
  end: number;
  hasFin: boolean;
  /** The time of the latest transmission. */
  sentAt: number;
  isRetransmitted = false;
  state: SegmentState = "flying";
  earlier: SentSegment | undefined;
  later: SentSegment | undefined;

  constructor(start: number, end: number, hasFin: boolean, sentAt: number) {
    this.start = start;
    this.end = end;
    this.hasFin = hasFin;
    this.sentAt = sentAt;
  }

  get length(): number {
    return this.end - this.start;
  }

  /** The offset after its last byte. */
  get payloadEnd(): number {
    return this.end - (this.hasFin ? 1 : 0);
  }

  get payloadBytes(): number {
    return this.payloadEnd - this.start;
  }

  /** Splits the segment at `at`, and returns the second part as a segment sent at the same time. */
  split(at: number): SentSegment {
    const rest = new SentSegment(at, this.end, this.hasFin, this.sentAt);
    rest.isRetransmitted = this.isRetransmitted;
    rest.state = this.state;
    this.end = at;
    this.hasFin = false;
    return rest;
  }

  /** Returns true if it was sent after another: later, or at the same time and at a higher offset (RFC 8985 §6.2). */
  wasSentAfter(sentAt: number, end: number): boolean {
    return this.sentAt > sentAt || (this.sentAt === sentAt && this.end > end);
  }
}

/** The flying segments in the order of their latest transmission. */
export class FlightOrder {
  #first: SentSegment | undefined;
  #last: SentSegment | undefined;

  /** The segment that was sent first. */
  get first(): SentSegment | undefined {
    return this.#first;
  }

  append(segment: SentSegment): void {
    segment.earlier = this.#last;
    segment.later = undefined;
    if (this.#last === undefined) this.#first = segment;
    else this.#last.later = segment;
    this.#last = segment;
  }

  /** Inserts a segment after an existing one. */
  insertAfter(segment: SentSegment, added: SentSegment): void {
    added.earlier = segment;
    added.later = segment.later;
    if (segment.later === undefined) this.#last = added;
    else segment.later.earlier = added;
    segment.later = added;
  }

  remove(segment: SentSegment): void {
    if (segment.earlier === undefined) this.#first = segment.later;
    else segment.earlier.later = segment.later;
    if (segment.later === undefined) this.#last = segment.earlier;
    else segment.later.earlier = segment.earlier;
    segment.earlier = undefined;
    segment.later = undefined;
  }
}
