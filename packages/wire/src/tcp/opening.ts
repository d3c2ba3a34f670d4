import type { TcpFlow, TcpOptions } from "./connection-options.ts";
import { Established } from "./established.ts";
import { Handshake } from "./handshake.ts";
import { timestampsBytes } from "./options.ts";
import { ReceiveWindow, scaleFor } from "./receive-window.ts";
import { Receiver } from "./receiver.ts";
import type { RttEstimator } from "./rtt-estimator.ts";
import type { SegmentLimit } from "./segment-limit.ts";
import type { SegmentWriter } from "./segment-writer.ts";
import { TcpFlag, type TcpSegment } from "./segment.ts";
import { Sender } from "./sender.ts";
import { sequenceDistance, wrapOffset } from "./sequence.ts";
import { Timestamps } from "./timestamps.ts";

/**
 * The meaning of a segment for a connection that is being opened:
 * - `waiting`: nothing yet;
 * - `stray`: it acknowledges data that was not sent, which a RST answers;
 * - `reset`: the peer does not want it, or no longer;
 * - `established`: the handshake is complete.
 */
export type OpeningStep =
  | { readonly type: "waiting" | "stray" | "reset" }
  | { readonly type: "established"; readonly established: Established };

const waiting: OpeningStep = { type: "waiting" };

/** A connection until its handshake is complete, in SYN-SENT or SYN-RECEIVED. */
export class Opening {
  readonly #flow: TcpFlow;
  readonly #options: Required<TcpOptions>;
  readonly #rtt: RttEstimator;
  readonly #segment: SegmentLimit;
  readonly #handshake: Handshake;
  readonly #timestamps: Timestamps;
  readonly #window: ReceiveWindow;
  #peer: PeerSyn | undefined;

  /** Opens a connection, or answers the SYN of a peer. */
  constructor(
    flow: TcpFlow,
    options: Required<TcpOptions>,
    rtt: RttEstimator,
    segment: SegmentLimit,
    syn: TcpSegment | undefined,
    now: number,
  ) {
    this.#flow = flow;
    this.#options = options;
    this.#rtt = rtt;
    this.#segment = segment;
    this.#handshake = new Handshake(syn === undefined ? "active" : "passive", now);
    this.#timestamps = new Timestamps(flow.timestampOffset);
    this.#window = new ReceiveWindow(options.maxReceiveBytes, flow.maxSegmentBytes);
    if (syn !== undefined) this.#takeSyn(syn, now);
  }

  /** True once the peer's SYN was received. */
  get hasSyn(): boolean {
    return this.#peer !== undefined;
  }

  /** The time of the next `tick`. */
  get deadline(): number {
    return this.#handshake.deadline;
  }

  /** Does the work due by `now`; false if it is time to give up. */
  tick(now: number): boolean {
    return this.#handshake.tick(now);
  }

  receive(segment: TcpSegment, now: number): OpeningStep {
    return this.#peer === undefined
      ? this.#receiveAnswer(segment, now)
      : this.#receiveConfirmation(this.#peer, segment, now);
  }

  /** Writes our SYN if it is due, with an acknowledgment once the peer's was received. */
  write(writer: SegmentWriter, target: Uint8Array, at: number, now: number): number {
    if (!this.#handshake.take(now)) return 0;
    const peer = this.#peer;
    const usesTimestamps = peer === undefined || peer.timestamp !== undefined;
    const usesScales = peer === undefined || peer.windowScale !== undefined;
    const fields = {
      sequence: this.#flow.initialSequence,
      acknowledgment: this.acknowledgment,
      flags: TcpFlag.syn | (peer === undefined ? 0 : TcpFlag.ack),
      window: this.#window.edge - 1,
      options: {
        maxSegmentBytes: this.#flow.maxSegmentBytes,
        windowScale: usesScales ? scaleFor(this.#options.maxReceiveBytes) : undefined,
        isSackPermitted: peer?.hasSack ?? true,
        timestamp: usesTimestamps ? this.#timestamps.value(now) : undefined,
        timestampEcho: this.#timestamps.recent,
        sackEdges: [],
      },
    };
    return writer.empty(fields, target, at);
  }

  /** RCV.NXT on the wire; 0 before the peer's SYN. */
  get acknowledgment(): number {
    return this.#peer === undefined ? 0 : wrapOffset(this.#peer.initialSequence, 1);
  }

  /** RFC 9293 §3.10.7.3: SYN-SENT. */
  #receiveAnswer(segment: TcpSegment, now: number): OpeningStep {
    const { flags } = segment;
    const isReset = (flags & TcpFlag.rst) !== 0;
    const isAnswer = this.#acknowledgesSyn(segment);
    if ((flags & TcpFlag.ack) !== 0 && !isAnswer) return isReset ? waiting : { type: "stray" };
    if (isReset) return isAnswer ? { type: "reset" } : waiting;
    if ((flags & TcpFlag.syn) === 0) return waiting;
    const peer = this.#takeSyn(segment, now);
    if (isAnswer) return this.#establish(peer, segment.window, true, now);
    // Both ends have sent their SYN simultaneously: ours is repeated with an acknowledgment.
    this.#handshake.demand();
    return waiting;
  }

  /** RFC 9293 §3.10.7.4, as far as it concerns SYN-RECEIVED. */
  #receiveConfirmation(peer: PeerSyn, segment: TcpSegment, now: number): OpeningStep {
    const { flags } = segment;
    const offset = sequenceDistance(segment.sequence, peer.initialSequence);
    const isRepeatedSyn = offset === 0 && (flags & TcpFlag.syn) !== 0;
    if ((flags & TcpFlag.rst) !== 0) return offset === 1 ? { type: "reset" } : waiting;
    if ((flags & TcpFlag.ack) === 0) {
      if (isRepeatedSyn) this.#handshake.demand();
      return waiting;
    }
    if (!this.#acknowledgesSyn(segment)) return { type: "stray" };
    const isInWindow = offset >= 1 && offset <= this.#window.edge;
    if (!isRepeatedSyn && !isInWindow) return waiting;
    const scale = isRepeatedSyn ? 0 : (peer.windowScale ?? 0);
    return this.#establish(peer, segment.window * 2 ** scale, isRepeatedSyn, now);
  }

  #acknowledgesSyn({ flags, acknowledgment }: TcpSegment): boolean {
    return (
      (flags & TcpFlag.ack) !== 0 && acknowledgment === wrapOffset(this.#flow.initialSequence, 1)
    );
  }

  #takeSyn(segment: TcpSegment, now: number): PeerSyn {
    const peer = readSyn(segment);
    this.#peer = peer;
    if (peer.timestamp !== undefined) this.#timestamps.start(peer.timestamp, now);
    return peer;
  }

  #establish(peer: PeerSyn, windowBytes: number, owesAck: boolean, now: number): OpeningStep {
    const { maxReceiveBytes, maxSendBytes, delaysSmallSegments, toleratesNoise } = this.#options;
    const rttMs = this.#handshake.rtt(now);
    if (rttMs !== undefined) this.#rtt.measured(rttMs, 1, now);
    const { hasSack, windowScale, initialSequence: peerSequence } = peer;
    const optionBytes = this.#timestamps.isOn ? timestampsBytes : 0;
    this.#segment.agree(peer.maxSegmentBytes, optionBytes);
    this.#window.useScale(windowScale === undefined ? 0 : scaleFor(maxReceiveBytes));
    const habits = {
      segment: this.#segment,
      hasSack,
      // Without reports the amount of lost data is unknown.
      toleratesNoise: hasSack && toleratesNoise,
      delaysSmallSegments,
    };
    const sender = new Sender(
      { ...habits, maxQueuedBytes: maxSendBytes },
      windowBytes,
      this.#rtt,
      now,
    );
    const segmentBytes = Math.min(peer.maxSegmentBytes, this.#flow.maxSegmentBytes) - optionBytes;
    const receiver = new Receiver({ peerSequence, segmentBytes, hasSack }, this.#window);
    if (owesAck) receiver.acks.demand();
    const { initialSequence } = this.#flow;
    const agreement = { initialSequence, peerSequence, peerScale: windowScale ?? 0 };
    const established = new Established(sender, receiver, agreement, this.#timestamps);
    return { type: "established", established };
  }
}

/** The payload of a segment if the peer's SYN does not specify one (RFC 9293 §3.7.1, for IPv6). */
const defaultSegmentBytes = 1220;
/** The minimum payload accepted from the peer: with less, headers would be most of the traffic. */
const leastSegmentBytes = 64;

/** The peer as its SYN describes it. */
export interface PeerSyn {
  readonly initialSequence: number;
  /** The largest payload that it accepts, options included. */
  readonly maxSegmentBytes: number;
  /** The shift of its later windows; undefined if neither end may use one (RFC 7323 §1.3). */
  readonly windowScale: number | undefined;
  readonly hasSack: boolean;
  /** Its timestamp, if it uses them. */
  readonly timestamp: number | undefined;
}

/** Reads the fields of a segment with SYN. */
function readSyn(segment: TcpSegment): PeerSyn {
  const { options } = segment;
  return {
    initialSequence: segment.sequence,
    maxSegmentBytes: Math.max(options.maxSegmentBytes ?? defaultSegmentBytes, leastSegmentBytes),
    windowScale: options.windowScale,
    hasSack: options.isSackPermitted,
    timestamp: options.timestamp,
  };
}
