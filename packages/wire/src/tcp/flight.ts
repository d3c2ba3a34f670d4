import { Congestion } from "./congestion.ts";
import { Delivery } from "./delivery.ts";
import { LossDetection } from "./loss-detection.ts";
import { Pacer } from "./pacer.ts";
import { Recovery } from "./recovery.ts";
import type { RecoveryOptions } from "./recovery.ts";
import type { RttEstimator } from "./rtt-estimator.ts";
import { Scoreboard } from "./scoreboard.ts";
import type { SentSegment } from "./sent-segment.ts";
import { TailLossProbe } from "./tail-loss-probe.ts";

export interface FlightOptions extends RecoveryOptions {
  /** True if the peer reports the data it has beyond a gap. */
  readonly hasSack: boolean;
}

/** An acceptable ACK, in offsets: it acknowledges and reports only data that was sent. */
export interface FlightAck {
  readonly una: number;
  /** The reported ranges, as start and end of one after the other. */
  readonly sacks: readonly number[];
  /** True if it reports that the peer has received data twice (RFC 2883). */
  readonly wasReceivedTwice: boolean;
  /** True if it carries no information: the same acknowledgment and window as before, no data, no reports. */
  readonly isPlainDuplicate: boolean;
  /** The time of the segment that it answers, in whole milliseconds; undefined without timestamps. */
  readonly echoedAt: number | undefined;
}

/** A segment sent regardless of the congestion window: after a timeout, or as a probe. */
type ForcedSegment = "nothing" | "first-lost" | "probe";

/** The segments that are sent and not acknowledged: finds losses, times out, and manages the congestion window. */
export class Flight {
  readonly #options: FlightOptions;
  readonly #rtt: RttEstimator;
  readonly #board: Scoreboard;
  readonly #losses: LossDetection;
  readonly #congestion: Congestion;
  readonly #recovery: Recovery;
  readonly #pacer: Pacer;
  readonly #probe = new TailLossProbe();
  /** The information in the ACK being processed. */
  #delivery: Delivery;
  #una = 1;
  #end = 1;
  #timeoutAt = Number.POSITIVE_INFINITY;
  #forced: ForcedSegment = "nothing";
  /** Data below this offset was sent up to the limit of the congestion window. */
  #limitedEnd = 0;
  #lastSentAt: number;

  constructor(options: FlightOptions, rtt: RttEstimator, now: number) {
    this.#options = options;
    this.#rtt = rtt;
    this.#delivery = new Delivery(undefined, now);
    this.#board = new Scoreboard((segment, at) => {
      this.#delivery.add(segment);
      this.#losses.delivered(segment, this.#delivery, at);
    });
    this.#losses = new LossDetection(this.#board, rtt, options.hasSack);
    this.#congestion = new Congestion(options.segment);
    this.#recovery = new Recovery(options, this.#congestion);
    this.#pacer = new Pacer(options.segment);
    this.#lastSentAt = now;
  }

  /** The offset of the first unacknowledged byte. */
  get una(): number {
    return this.#una;
  }

  /** The offset after all sent data. */
  get end(): number {
    return this.#end;
  }

  get isEmpty(): boolean {
    return this.#board.size === 0;
  }

  get congestionWindow(): number {
    return this.#congestion.window;
  }

  /** True if a segment should be sent as a probe: new data, or else the last segment. */
  get isProbeDue(): boolean {
    return this.#forced === "probe";
  }

  /** The time of the next `tick`. */
  get deadline(): number {
    const lossAt = Math.min(this.#timeoutAt, this.#probe.deadline, this.#losses.deadline);
    return Math.min(lossAt, this.#pacer.deadline);
  }

  /** Returns true if the congestion window and its pace allow a segment of `length` bytes now. */
  allows(length: number, now: number): boolean {
    const { flyingBytes } = this.#board;
    if (flyingBytes > 0 && flyingBytes + length > this.#congestion.window) {
      this.#limitedEnd = this.#end;
      return false;
    }
    return this.#pacer.allows(now);
  }

  /** Lowers the congestion window if nothing was sent for long; must be called before new data is sent. */
  noteIdle(now: number): void {
    if (this.isEmpty) this.#congestion.idle(now - this.#lastSentAt, this.#rtt.timeout);
  }

  /** Adds a segment of new data that is sent now. */
  sent(segment: SentSegment, now: number): void {
    this.#board.sent(segment);
    this.#end = segment.end;
    this.#afterSending(segment, false, now);
  }

  /** Returns the segment to retransmit now, if any, and marks it as sent. */
  takeRepeat(windowEdge: number, now: number): SentSegment | undefined {
    const segment = this.#nextRepeat();
    const isInWindow = segment === this.#board.first || (segment?.end ?? 0) <= windowEdge;
    if (segment === undefined || segment.state === "sacked" || !isInWindow) {
      this.#forced = "nothing";
      return undefined;
    }
    if (this.#forced === "nothing" && !this.allows(segment.length, now)) return undefined;
    this.#board.sentAgain(segment, now);
    this.#afterSending(segment, true, now);
    return segment;
  }

  /** Returns the segment that is next to be retransmitted: split, if it was sent when segments were larger. */
  #nextRepeat(): SentSegment | undefined {
    const isProbe = this.#forced === "probe";
    const segment = isProbe ? this.#board.last : this.#board.firstLost();
    const { bytes } = this.#options.segment;
    if (segment === undefined || segment.state === "sacked" || segment.payloadBytes <= bytes) {
      return segment;
    }
    // A probe repeats the last data that was sent (RFC 8985 §7.3).
    if (isProbe) return this.#board.split(segment, segment.payloadEnd - bytes);
    this.#board.split(segment, segment.start + bytes);
    return segment;
  }

  /** True if a segment is lost, which goes before new data. */
  get hasLost(): boolean {
    return this.#board.hasLost;
  }

  /** Handles an ACK: the data it acknowledges and reports, and the resulting losses. */
  acknowledge(ack: FlightAck, now: number): void {
    const flightBytes = this.#end - this.#una;
    const ackedBytes = ack.una - this.#una;
    const hasAdvanced = ackedBytes > 0;
    const wasLimited = this.#una < this.#limitedEnd;
    this.#takeDelivered(ack, now);
    if (hasAdvanced) this.#rtt.resetBackoff();
    if (ack.wasReceivedTwice) this.#losses.receivedTwice(this.#una, this.#end);
    this.#endNeedless(ack, hasAdvanced, now);
    const lostBytes = this.#findLosses(ack, hasAdvanced, now);
    if (this.#probe.acknowledged(ack.una, ack.wasReceivedTwice, ack.isPlainDuplicate)) {
      this.#recovery.repaired();
    }
    const hasNewEcho = hasAdvanced && !ack.wasReceivedTwice;
    const perRtt = Math.ceil(flightBytes / (2 * this.#options.segment.bytes));
    const rttMs = this.#delivery.measure(this.#rtt, hasNewEcho, perRtt);
    this.#progress({ flightBytes, ackedBytes, lostBytes, wasLimited, rttMs }, now);
    if (this.isEmpty) this.#timeoutAt = Number.POSITIVE_INFINITY;
    else if (hasAdvanced) this.#timeoutAt = now + this.#rtt.timeout;
    this.#armProbe(now);
  }

  /** Does the work due by `now`: losses by time, the probe, the timeout. Returns the outcome. */
  tick(now: number): "nothing" | "timed-out" {
    this.#pacer.tick(now);
    if (now >= this.#losses.deadline) {
      this.#delivery = new Delivery(undefined, now);
      const lostBytes = this.#losses.find(!this.#recovery.isOpen, now);
      const flightBytes = this.#end - this.#una;
      const nothing = { ackedBytes: 0, wasLimited: false, rttMs: undefined };
      if (lostBytes > 0) this.#progress({ ...nothing, flightBytes, lostBytes }, now);
    }
    if (now < Math.min(this.#probe.deadline, this.#timeoutAt)) return "nothing";
    // A probe that is armed goes before a timeout (RFC 8985 §7.2).
    if (Number.isFinite(this.#probe.deadline)) {
      this.#startProbe(now);
      return "nothing";
    }
    this.#timeOut(now);
    return "timed-out";
  }

  #takeDelivered(ack: FlightAck, now: number): void {
    this.#delivery = new Delivery(ack.echoedAt, now);
    this.#board.acknowledge(ack.una, now);
    this.#una = ack.una;
    for (let index = 0; index < ack.sacks.length; index += 2) {
      this.#board.sack(ack.sacks[index] ?? 0, ack.sacks[index + 1] ?? 0, now);
    }
  }

  #endNeedless({ echoedAt }: FlightAck, hasAdvanced: boolean, now: number): void {
    if (!hasAdvanced || echoedAt === undefined) return;
    if (this.#recovery.endIfNeedless(echoedAt)) this.#board.forgiveLosses(now);
  }

  #findLosses(ack: FlightAck, hasAdvanced: boolean, now: number): number {
    const { hasSack, segment } = this.#options;
    const isDuplicate = ack.isPlainDuplicate && !this.isEmpty;
    // It is then known that something arrived, but not which segment.
    if (isDuplicate && !hasSack) this.#delivery.addUnknown(segment.bytes);
    const isPartial = hasAdvanced && this.#recovery.covers(this.#una);
    const plain = { isDuplicate, hasAdvanced, isPartial };
    return this.#losses.findAfter(plain, !this.#recovery.isOpen, now);
  }

  /** Sets the congestion window after an ACK, or after losses detected by time. */
  #progress(ack: AckSums, now: number): void {
    const { flightBytes, ackedBytes, lostBytes, wasLimited, rttMs } = ack;
    const deliveredBytes = this.#delivery.bytes;
    const outcome = this.#recovery.progressed(
      {
        flightBytes,
        hasAdvanced: ackedBytes > 0,
        deliveredBytes,
        flyingBytes: this.#board.flyingBytes,
        lostBytes,
        hasLost: this.#board.hasLost,
        wasLimited,
        lowestRttMs: this.#rtt.lowest,
        acked: {
          bytes: Math.min(ackedBytes, deliveredBytes),
          una: this.#una,
          sentEnd: this.#end,
          rttMs,
          smoothedRttMs: this.#rtt.smoothed ?? this.#rtt.timeout,
        },
      },
      now,
    );
    if (outcome === "began") this.#probe.forget();
    if (outcome === "ended") this.#losses.recovered();
  }

  /** Sets the time of the probe (RFC 8985 §7.2): not while losses are known or suspected. */
  #armProbe(now: number): void {
    const isQuiet = this.#recovery.isOpen && this.#board.sackedSegments === 0;
    if (!this.#options.hasSack || !isQuiet || this.isEmpty) this.#probe.disarm();
    else this.#probe.arm(this.#rtt.smoothed, this.#board.size, now);
  }

  #afterSending(segment: SentSegment, isRepeat: boolean, now: number): void {
    this.#lastSentAt = now;
    this.#recovery.sent(segment.length, isRepeat, now);
    const { window, isSlowStart } = this.#congestion;
    this.#pacer.sent(segment.length, window, isSlowStart, this.#rtt.smoothed ?? 0, now);
    if (this.#forced === "probe") this.#probe.sent(segment.end, isRepeat);
    else if (!isRepeat) this.#armProbe(now);
    const isForced = this.#forced !== "nothing";
    this.#forced = "nothing";
    if (isForced || !Number.isFinite(this.#timeoutAt)) this.#timeoutAt = now + this.#rtt.timeout;
  }

  #startProbe(now: number): void {
    this.#probe.disarm();
    this.#forced = "probe";
    this.#timeoutAt = now + this.#rtt.timeout;
  }

  #timeOut(now: number): void {
    if (this.isEmpty) return;
    this.#losses.timedOut(!this.#recovery.isOpen, now);
    this.#recovery.timedOut(this.#end);
    this.#probe.forget();
    this.#rtt.backOff();
    this.#timeoutAt = now + this.#rtt.timeout;
    this.#forced = "first-lost";
  }
}

/** The sums of an ACK, or of losses detected by time. */
interface AckSums {
  readonly flightBytes: number;
  readonly ackedBytes: number;
  readonly lostBytes: number;
  readonly wasLimited: boolean;
  readonly rttMs: number | undefined;
}
