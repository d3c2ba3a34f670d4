import { noOptions } from "./options.ts";
import type { SegmentOptions } from "./options.ts";
import { KeepAlive } from "./probe-timers.ts";
import type { Receiver } from "./receiver.ts";
import { readReports } from "./reports.ts";
import type { SegmentWriter } from "./segment-writer.ts";
import { segmentLength, TcpFlag } from "./segment.ts";
import type { TcpSegment } from "./segment.ts";
import type { Sender } from "./sender.ts";
import type { SentSegment } from "./sent-segment.ts";
import { sequenceDistance, unwrapSequence, wrapOffset } from "./sequence.ts";
import type { Timestamps } from "./timestamps.ts";

/** The sequence numbers and window scales that both ends agreed on. */
export interface Agreement {
  readonly initialSequence: number;
  readonly peerSequence: number;
  readonly peerScale: number;
}

/**
 * The fate of a segment:
 * - `taken`: its acknowledgment counts, and its data as far as it was new;
 * - `dropped`: it was not acceptable, or was answered only by an ACK;
 * - `reset`: it ends the connection.
 */
export type Reception = "taken" | "dropped" | "reset";

/** A connection after its handshake: both halves of it, and the segments exchanged with the peer. */
export class Established {
  readonly sender: Sender;
  readonly receiver: Receiver;
  readonly keepAlive = new KeepAlive();
  readonly #agreement: Agreement;
  readonly #timestamps: Timestamps;
  readonly #replies = new ReplyLimit();
  /** SND.WL1 and SND.WL2: the segment that last changed the send window. */
  #windowOffset = 0;
  #windowUna = 0;
  #lastAckSent = 1;

  constructor(sender: Sender, receiver: Receiver, agreement: Agreement, timestamps: Timestamps) {
    this.sender = sender;
    this.receiver = receiver;
    this.#agreement = agreement;
    this.#timestamps = timestamps;
  }

  /** RCV.NXT and SND.NXT on the wire. */
  get acknowledgment(): number {
    return wrapOffset(this.#agreement.peerSequence, this.receiver.next);
  }

  get sequence(): number {
    return wrapOffset(this.#agreement.initialSequence, this.sender.end);
  }

  /** The time of the next `tick`. */
  get deadline(): number {
    const { sender, receiver, keepAlive } = this;
    return Math.min(sender.deadline, receiver.acks.deadline, keepAlive.deadline);
  }

  /** Does the work due by `now`; false if the peer has left too many keep-alives unanswered. */
  tick(now: number): boolean {
    this.sender.tick(now);
    this.receiver.acks.tick(now);
    return this.keepAlive.tick(now);
  }

  /** Handles a segment (RFC 9293 §3.10.7.4 with RFC 5961 and RFC 7323 §5), except for its data and FIN. */
  receive(segment: TcpSegment, now: number): Reception {
    const { receiver } = this;
    const { flags } = segment;
    const { timestamp } = segment.options;
    const offset = this.offsetOf(segment);
    const isReset = (flags & TcpFlag.rst) !== 0;
    const isOld = timestamp !== undefined && !isReset && this.#timestamps.isOld(timestamp, now);
    if (isOld || !isAcceptable(receiver, offset, segmentLength(segment))) {
      if (!isReset) this.#answerUnacceptable(segment, offset, now);
      return "dropped";
    }
    if (isReset && offset === receiver.next) return "reset";
    if (isReset || (flags & TcpFlag.syn) !== 0) {
      this.#challenge(now);
      return "dropped";
    }
    if ((flags & TcpFlag.ack) === 0) return "dropped";
    if (timestamp !== undefined && offset <= this.#lastAckSent) {
      this.#timestamps.received(timestamp, now);
    }
    this.keepAlive.heard(now);
    return this.#receiveAck(segment, offset, now) ? "taken" : "dropped";
  }

  /** Returns the offset of the first byte of a segment. */
  offsetOf(segment: TcpSegment): number {
    return unwrapSequence(this.#agreement.peerSequence, segment.sequence, this.receiver.next);
  }

  /** Returns true if a SYN begins after all data received here, so that it belongs to a new connection. */
  isNewer(syn: TcpSegment): boolean {
    const { timestamp } = syn.options;
    return timestamp !== undefined && this.#timestamps.isOn
      ? sequenceDistance(timestamp, this.#timestamps.recent) > 0
      : sequenceDistance(syn.sequence, this.acknowledgment) > 0;
  }

  /** Writes the next segment to send, and returns its length; 0 if there is none. */
  write(writer: SegmentWriter, target: Uint8Array, at: number, now: number): number {
    const { sender, receiver } = this;
    // Reports go into a separate segment: a full one has no room for them.
    if (receiver.acks.isDue && receiver.hasReports) {
      const options = this.#options(receiver.takeReports(), now);
      return writer.empty(this.#fields(sender.end, TcpFlag.ack, options), target, at);
    }
    const segment = sender.take(now);
    if (segment !== undefined) return this.#writeData(segment, writer, target, at, now);
    const isProbeDue = sender.takeWindowProbe() || this.keepAlive.takeProbe();
    if (!isProbeDue && !receiver.acks.isDue) return 0;
    const offset = isProbeDue ? sender.una - 1 : sender.end;
    return writer.empty(this.#fields(offset, TcpFlag.ack, this.#options([], now)), target, at);
  }

  /** Answers with an ACK: repeated data immediately, as that answers nothing of ours, all else within a limit. */
  #answerUnacceptable(segment: TcpSegment, offset: number, now: number): void {
    const { receiver } = this;
    const payloadBytes = segment.payloadEnd - segment.payloadStart;
    this.keepAlive.heard(now);
    if (payloadBytes === 0) {
      this.#challenge(now);
      return;
    }
    if (offset + payloadBytes <= receiver.next)
      receiver.receivedAgain(offset, offset + payloadBytes);
    receiver.acks.demand();
  }

  #challenge(now: number): void {
    if (this.#replies.take(now)) this.receiver.acks.demand();
  }

  /**
   * Handles the acknowledgment, the window and the reports; false if the segment acknowledges data that was never
   * sent.
   */
  #receiveAck(segment: TcpSegment, offset: number, now: number): boolean {
    const { sender, receiver } = this;
    const { initialSequence, peerScale } = this.#agreement;
    const una = unwrapSequence(initialSequence, segment.acknowledgment, sender.una);
    if (una > sender.end || una < sender.una - sender.maxWindow) {
      this.#challenge(now);
      return false;
    }
    if (una < sender.una) return true;
    const setsWindow =
      this.#windowOffset < offset || (this.#windowOffset === offset && this.#windowUna <= una);
    if (setsWindow) {
      this.#windowOffset = offset;
      this.#windowUna = una;
    }
    const length = segmentLength(segment);
    const echoedMs = this.#echoedMs(segment, now);
    const { sacks, wasReceivedTwice } = readReports(segment.options.sackEdges, initialSequence, {
      una,
      end: sender.end,
    });
    sender.acknowledge(
      {
        una,
        windowEdge: setsWindow ? una + segment.window * 2 ** peerScale : undefined,
        sacks,
        wasReceivedTwice,
        echoedAt: echoedMs === undefined ? undefined : Math.floor(now) - echoedMs,
        isPure: length === 0,
      },
      now,
    );
    if (echoedMs !== undefined && length > 0) receiver.measured(Math.max(1, echoedMs));
    return true;
  }

  #echoedMs(
    { options: { timestamp, timestampEcho } }: TcpSegment,
    now: number,
  ): number | undefined {
    return timestamp === undefined ? undefined : this.#timestamps.since(timestampEcho, now);
  }

  #writeData(
    segment: SentSegment,
    writer: SegmentWriter,
    target: Uint8Array,
    at: number,
    now: number,
  ): number {
    const push = this.sender.isPushed(segment) ? TcpFlag.psh : 0;
    const flags = TcpFlag.ack | push | (segment.hasFin ? TcpFlag.fin : 0);
    const fields = this.#fields(segment.start, flags, this.#options([], now));
    const payloadStart = writer.begin(fields, target, at);
    const length = this.sender.copyTo(target, payloadStart, segment);
    return writer.end(target, at, payloadStart + length);
  }

  /** Returns the fields of a segment, which acknowledges all received data. */
  #fields(offset: number, flags: number, options: SegmentOptions) {
    const { receiver } = this;
    const window = receiver.takeWindow();
    this.#lastAckSent = receiver.next;
    receiver.acks.sent();
    return {
      sequence: wrapOffset(this.#agreement.initialSequence, offset),
      acknowledgment: this.acknowledgment,
      flags,
      window,
      options,
    };
  }

  #options(sackEdges: readonly number[], now: number): SegmentOptions {
    const { isOn } = this.#timestamps;
    if (!isOn && sackEdges.length === 0) return noOptions;
    return {
      maxSegmentBytes: undefined,
      windowScale: undefined,
      isSackPermitted: false,
      timestamp: isOn ? this.#timestamps.value(now) : undefined,
      timestampEcho: this.#timestamps.recent,
      sackEdges,
    };
  }
}

/** The receive sequence space (RFC 9293 §3.3.1), as offsets. */
interface ReceiveSpace {
  /** RCV.NXT. */
  readonly next: number;
  /** The offset of the first byte that the peer may not send. */
  readonly windowEdge: number;
}

/**
 * Returns true if a segment of `length` at `offset` is acceptable: some of it lies in the window (RFC 9293 §3.10.7.4,
 * the first check). A segment that begins at the expected offset always is: a closed window still accepts its
 * acknowledgment, and a FIN, which needs no room.
 */
function isAcceptable({ next, windowEdge }: ReceiveSpace, offset: number, length: number): boolean {
  if (offset === next) return true;
  if (length === 0) return offset > next && offset <= windowEdge;
  return offset < windowEdge && offset + length > next;
}

/** The maximum number of ACKs per second that answer unacceptable segments (RFC 5961 §7). */
const maxPerSecond = 100;

/** Limits the answers to unacceptable segments, so that a third party cannot make two ends answer each other forever. */
class ReplyLimit {
  #windowStart = 0;
  #count = 0;

  /** Returns true if another answer is allowed, and counts it. */
  take(now: number): boolean {
    if (now - this.#windowStart >= 1000) {
      this.#windowStart = now;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count <= maxPerSecond;
  }
}
