import { Flight } from "./flight.ts";
import type { FlightAck, FlightOptions } from "./flight.ts";
import { PersistTimer } from "./probe-timers.ts";
import type { RttEstimator } from "./rtt-estimator.ts";
import type { SegmentLimit } from "./segment-limit.ts";
import { SendQueue } from "./send-queue.ts";
import { SentSegment } from "./sent-segment.ts";

export interface SenderOptions extends FlightOptions {
  readonly segment: SegmentLimit;
  /** The maximum number of written, unacknowledged bytes. */
  readonly maxQueuedBytes: number;
  /** Holds back less than a segment until all sent data is acknowledged (Nagle, RFC 9293 §3.7.4). */
  readonly delaysSmallSegments: boolean;
}

/** An acceptable ACK, in offsets. */
export interface SenderAck extends Omit<FlightAck, "isPlainDuplicate"> {
  /** The offset of the first byte that must not be sent; undefined if the segment is too old to tell. */
  readonly windowEdge: number | undefined;
  /** True if the segment has neither data nor FIN. */
  readonly isPure: boolean;
}

/** The number of attempts to get an answer before the peer counts as dead. */
const leastAttempts = 4;
/** The number of consecutive timeouts after which large segments are suspected not to arrive. */
const cautiousAttempts = 2;

/*
 *        una             next            windowEdge       queue.end
 *  -------+---------------+------------------+---------------+
 *  acked  | in flight     | may be sent      | must wait     | FIN, once finished
 */
/** The sending half of an established connection: decides which new data goes into which segment, and when. */
export class Sender {
  readonly #options: SenderOptions;
  readonly #rtt: RttEstimator;
  readonly #queue: SendQueue;
  readonly #flight: Flight;
  readonly #persist = new PersistTimer();
  #windowEdge: number;
  /** The largest window that the peer has offered. */
  #maxWindow: number;
  #finish: "open" | "finishing" | "sent" = "open";
  /** True if the persist timer allows less than a segment. */
  #isSmallAllowed = false;
  #isWindowProbeDue = false;
  #lastProgressAt: number;
  /** The number of timeouts and probes since then. */
  #attempts = 0;

  /** Creates the sender of a connection whose handshake is complete, with the window that the peer offers. */
  constructor(options: SenderOptions, windowBytes: number, rtt: RttEstimator, now: number) {
    this.#options = options;
    this.#rtt = rtt;
    this.#queue = new SendQueue(options.maxQueuedBytes);
    this.#flight = new Flight(options, rtt, now);
    this.#windowEdge = 1 + windowBytes;
    this.#maxWindow = windowBytes;
    this.#lastProgressAt = now;
  }

  get una(): number {
    return this.#flight.una;
  }

  /** SND.NXT: the offset after all sent data. */
  get end(): number {
    return this.#flight.end;
  }

  get maxWindow(): number {
    return this.#maxWindow;
  }

  get queuedBytes(): number {
    return this.#queue.length;
  }

  /** The bytes of memory that written data occupies. */
  get heldBytes(): number {
    return this.#queue.heldBytes;
  }

  get congestionWindow(): number {
    return this.#flight.congestionWindow;
  }

  /** The number of bytes that `write` would accept now. */
  get room(): number {
    return this.#finish === "open" ? this.#queue.room : 0;
  }

  get isFinSent(): boolean {
    return this.#finish === "sent";
  }

  get isFinAcknowledged(): boolean {
    return this.#finish === "sent" && this.#flight.una > this.#queue.end;
  }

  /** The time of the next `tick`. */
  get deadline(): number {
    return Math.min(this.#flight.deadline, this.#persist.deadline);
  }

  /**
   * The time since which the peer owes progress: an ACK of new data, or of a closed window. Infinite until it has
   * left a few retransmissions or probes unanswered, so that a process that slept does not mistake its own absence
   * for the peer's.
   */
  get waitingSince(): number {
    return this.#attempts < leastAttempts ? Number.POSITIVE_INFINITY : this.#lastProgressAt;
  }

  /** Copies as much of `bytes` as there is room for, and returns the number of copied bytes. */
  write(bytes: Uint8Array, now: number): number {
    if (this.#flight.isEmpty && this.#queue.length === 0) this.#lastProgressAt = now;
    return this.#queue.write(bytes);
  }

  /** Sends FIN after the written data. */
  finish(now: number): void {
    if (this.#finish !== "open") return;
    if (this.#flight.isEmpty && this.#queue.length === 0) this.#lastProgressAt = now;
    this.#finish = "finishing";
  }

  /** Returns true once after a write that was cut short, when there is room again. */
  takeWritable(): boolean {
    return this.#queue.takeWritable();
  }

  /** Drops the written data and sends nothing more. */
  clear(): void {
    this.#queue.clear();
    this.#finish = "sent";
  }

  /** Copies the data of a segment into a packet. */
  copyTo(target: Uint8Array, at: number, segment: SentSegment): number {
    const { start, payloadBytes } = segment;
    this.#queue.copyTo(target, at, start, payloadBytes);
    return payloadBytes;
  }

  /** Returns true if a segment has the last written byte, so that the peer should not wait for more. */
  isPushed(segment: SentSegment): boolean {
    return segment.start < this.#queue.end && segment.end >= this.#queue.end;
  }

  acknowledge(ack: SenderAck, now: number): void {
    const { windowEdge = this.#windowEdge } = ack;
    const hasAdvanced = ack.una > this.#flight.una;
    const isPlainDuplicate =
      ack.isPure && !hasAdvanced && windowEdge === this.#windowEdge && ack.sacks.length === 0;
    this.#windowEdge = windowEdge;
    this.#maxWindow = Math.max(this.#maxWindow, windowEdge - ack.una);
    if (hasAdvanced || windowEdge <= ack.una) {
      this.#lastProgressAt = now;
      this.#attempts = 0;
    }
    this.#flight.acknowledge({ ...ack, isPlainDuplicate }, now);
    if (hasAdvanced) {
      this.#queue.acknowledge(ack.una);
      this.#queue.adapt(this.#flight.congestionWindow);
    }
  }

  /** Returns the segment to send now, and marks it as sent; `undefined` if there is none. */
  take(now: number): SentSegment | undefined {
    this.#options.segment.refresh(now);
    const segment = this.#takeSegment(now);
    this.#updatePersist(now);
    return segment;
  }

  /** Returns whether a window probe, a segment without data, is due, and marks it as sent. */
  takeWindowProbe(): boolean {
    const isDue = this.#isWindowProbeDue;
    this.#isWindowProbeDue = false;
    return isDue;
  }

  /** Does the work due by `now`. */
  tick(now: number): void {
    if (this.#flight.tick(now) === "timed-out") {
      this.#attempts += 1;
      if (this.#attempts >= cautiousAttempts) this.#options.segment.beCautious(now);
    }
    if (now < this.#persist.deadline) return;
    this.#attempts += 1;
    if (this.#windowEdge > this.#flight.end) this.#isSmallAllowed = true;
    else this.#isWindowProbeDue = true;
    this.#persist.next(this.#rtt.timeout, now);
  }

  #takeSegment(now: number): SentSegment | undefined {
    if (this.#flight.isProbeDue) {
      return this.#takeNew(true, now) ?? this.#flight.takeRepeat(this.#windowEdge, now);
    }
    const repeated = this.#flight.takeRepeat(this.#windowEdge, now);
    if (repeated !== undefined) return repeated;
    return this.#flight.hasLost ? undefined : this.#takeNew(false, now);
  }

  #takeNew(isProbe: boolean, now: number): SentSegment | undefined {
    if (this.#finish === "sent") return undefined;
    const start = this.#flight.end;
    const inWindow = Math.min(this.#queue.end, this.#windowEdge) - start;
    const length = Math.max(0, Math.min(inWindow, this.#options.segment.bytes));
    const isLast = start + length === this.#queue.end;
    const hasFin = isLast && this.#finish === "finishing" && start + length < this.#windowEdge;
    if (!hasFin && !this.#isWorthSending(length, isLast)) return undefined;
    if (!isProbe && !this.#flight.allows(length, now)) return undefined;
    this.#flight.noteIdle(now);
    const segment = new SentSegment(start, start + length + (hasFin ? 1 : 0), hasFin, now);
    this.#flight.sent(segment, now);
    if (hasFin) this.#finish = "sent";
    this.#isSmallAllowed = false;
    return segment;
  }

  /** Avoids small segments caused by a small window or Nagle (RFC 9293 §3.8.6.2.1). */
  #isWorthSending(length: number, isLast: boolean): boolean {
    if (length === 0) return false;
    if (length === this.#options.segment.bytes || this.#isSmallAllowed) return true;
    if (isLast) return !this.#options.delaysSmallSegments || this.#flight.isEmpty;
    return length >= this.#maxWindow / 2;
  }

  /** Runs the persist timer while data waits, nothing is in flight and the window is too small. */
  #updatePersist(now: number): void {
    const hasUnsent = this.#flight.end < this.#queue.end || this.#finish === "finishing";
    if (hasUnsent && this.#flight.isEmpty) this.#persist.start(this.#rtt.timeout, now);
    else this.#persist.stop();
  }
}
