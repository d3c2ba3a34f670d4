import { withDefaults } from "./connection-options.ts";
import type { TcpFlow, TcpOptions } from "./connection-options.ts";
import type { Established } from "./established.ts";
import { TcpError } from "./events.ts";
import type { TcpErrorCode, TcpEvent } from "./events.ts";
import { Opening } from "./opening.ts";
import type { KeepAliveOptions } from "./probe-timers.ts";
import { RttEstimator } from "./rtt-estimator.ts";
import { SegmentLimit } from "./segment-limit.ts";
import { SegmentWriter } from "./segment-writer.ts";
import { segmentLength, TcpFlag } from "./segment.ts";
import type { TcpSegment } from "./segment.ts";
import { wrapOffset } from "./sequence.ts";
import { afterFinAcknowledged, afterFinSent, afterPeerFin } from "./state.ts";
import type { TcpState } from "./state.ts";

/** Twice the time for which segments of an old connection may turn up; other systems use the same. */
const timeWaitMs = 60_000;
/** The time within which an abandoned connection must end. */
const lingerMs = 60_000;

/** A RST to send. */
interface PendingReset {
  readonly flags: number;
  readonly sequence: number;
  readonly acknowledgment: number;
}

/**
 * One TCP connection (RFC 9293), either side of it, without addresses, sockets, a clock or randomness.
 *
 * The owner hands in parsed segments (`receive`) and calls `tick` when `nextWake` is reached. After each of these,
 * and after any other call, it calls `writeSegment` until that returns 0, and handles `takeEvents`. All times are
 * milliseconds of one clock that does not run backwards. A segment may be reused after `receive`, which copies what
 * it keeps.
 *
 * Incoming data is copied once, from the segment to where it is read. Outgoing data is copied twice: from the writer
 * to the queue, and from there into a segment.
 */
export class TcpConnection {
  readonly #flow: TcpFlow;
  readonly #options: Required<TcpOptions>;
  readonly #writer: SegmentWriter;
  readonly #rtt = new RttEstimator();
  readonly #segment: SegmentLimit;
  #state: TcpState;
  /** The connection before and after its handshake; after its end both remain. */
  #opening: Opening | undefined;
  #established: Established | undefined;
  #events: TcpEvent[] = [];
  #isReadablePending = false;
  #reset: PendingReset | undefined;
  #keepAlive: KeepAliveOptions | undefined;
  #finishesAtOnce = false;
  /** True if the application no longer reads or writes. */
  #isAbandoned = false;
  /** The end of TIME-WAIT, or of the wait for a peer to end an abandoned connection. */
  #closeAt = Number.POSITIVE_INFINITY;

  private constructor(
    flow: TcpFlow,
    options: TcpOptions,
    syn: TcpSegment | undefined,
    now: number,
  ) {
    this.#flow = flow;
    this.#options = withDefaults(options);
    this.#writer = new SegmentWriter(flow);
    this.#segment = new SegmentLimit(flow.maxSegmentBytes);
    this.#opening = new Opening(flow, this.#options, this.#rtt, this.#segment, syn, now);
    this.#state = syn === undefined ? "syn-sent" : "syn-received";
  }

  /** Opens a connection: its SYN is the first segment to write. */
  static connect(flow: TcpFlow, options: TcpOptions, now: number): TcpConnection {
    return new TcpConnection(flow, options, undefined, now);
  }

  /**
   * Accepts a connection whose SYN was received. Until the handshake is complete it holds neither data nor queues for
   * data.
   */
  static accept(flow: TcpFlow, syn: TcpSegment, options: TcpOptions, now: number): TcpConnection {
    return new TcpConnection(flow, options, syn, now);
  }

  get state(): TcpState {
    return this.#state;
  }

  /** The number of bytes that can be read. */
  get readable(): number {
    return this.#established?.receiver.readable ?? 0;
  }

  /** The number of bytes that `write` would accept now. */
  get writable(): number {
    return this.#established?.sender.room ?? 0;
  }

  /** The number of written bytes that the peer has not acknowledged. */
  get queuedBytes(): number {
    return this.#established?.sender.queuedBytes ?? 0;
  }

  /** The bytes of memory that the data of both directions occupies: whole blocks, however little is in them. */
  get heldBytes(): number {
    const established = this.#established;
    return established === undefined
      ? 0
      : established.receiver.heldBytes + established.sender.heldBytes;
  }

  /** The smoothed round-trip time in milliseconds; undefined before the first measurement. */
  get rttMs(): number | undefined {
    return this.#rtt.smoothed;
  }

  /** The number of bytes that may be in flight to the peer; 0 before the handshake is complete. */
  get congestionWindow(): number {
    return this.#established?.sender.congestionWindow ?? 0;
  }

  /** True if the peer should learn immediately of data that arrived out of order, rather than at the end of a batch. */
  get isUrgent(): boolean {
    const receiver = this.#established?.receiver;
    return receiver?.acks.isDue === true && receiver.hasReports;
  }

  /** Returns the events since the last call. */
  takeEvents(): readonly TcpEvent[] {
    const events = this.#events;
    if (events.length === 0) return events;
    this.#events = [];
    this.#isReadablePending = false;
    return events;
  }

  /** Copies as much of `bytes` as there is room for, and returns the number of copied bytes: 0 before `connected`. */
  write(bytes: Uint8Array, now: number): number {
    return this.#established?.sender.write(bytes, now) ?? 0;
  }

  /** Returns the next readable bytes, as many as are contiguous: a view that may be kept. */
  peek(): Uint8Array | undefined {
    return this.#established?.receiver.peek();
  }

  /** Consumes `count` of the readable bytes: the peer may send as many more. */
  consume(count: number, now: number): void {
    if (count > this.readable) {
      throw new RangeError(`${String(count)} bytes consumed, ${String(this.readable)} can be read`);
    }
    this.#established?.receiver.consume(count, this.#rtt.smoothed, now);
  }

  /**
   * Sets the largest payload, options included, that the path to the peer carries now (default: that of the flow).
   * Data lost in larger segments is sent again in smaller ones.
   */
  limitSegments(pathBytes: number): void {
    this.#segment.setPath(pathBytes);
  }

  /** Sends FIN after the written data. Reading continues. */
  finish(now: number): void {
    if (this.#established === undefined) this.#finishesAtOnce = true;
    else this.#established.sender.finish(now);
  }

  /**
   * Finishes, and refuses more data: further or unread data turns the end into a RST (RFC 9293 §3.6.1). The
   * connection ends within a minute.
   */
  close(now: number): void {
    if (this.#state === "closed" || this.#isAbandoned) return;
    if (this.#established === undefined || this.readable > 0) {
      this.abort();
      return;
    }
    this.#isAbandoned = true;
    this.#established.sender.finish(now);
    if (this.#state !== "time-wait") this.#closeAt = now + lingerMs;
  }

  /** Ends the connection immediately, with a RST if the peer knows of it. */
  abort(): void {
    if (this.#state === "closed") return;
    if (this.#state !== "syn-sent" && this.#state !== "time-wait") this.#sendReset();
    this.#fail("aborted", "connection aborted");
  }

  /**
   * Ends the connection if the peer has not answered and an ICMPv6 message reports that the SYN did not arrive:
   * anyone can send such a message, but only those who have seen the SYN know its sequence number (RFC 5927 §4.1).
   */
  unreachable(sequence: number): void {
    if (this.#state !== "syn-sent" || sequence !== this.#flow.initialSequence) return;
    this.#fail("unreachable", "destination unreachable");
  }

  /** Probes an idle peer; `undefined` turns that off. */
  setKeepAlive(options: KeepAliveOptions | undefined, now: number): void {
    this.#keepAlive = options;
    this.#established?.keepAlive.set(options, now);
  }

  /** Returns true if the connection of a new SYN may replace this one, which waits for old segments. */
  yieldsTo(segment: TcpSegment): boolean {
    const { syn, ack, rst } = TcpFlag;
    const isSyn = (segment.flags & (syn | ack | rst)) === syn;
    return this.#state === "time-wait" && isSyn && this.#established?.isNewer(segment) === true;
  }

  /** Returns the time of the next `tick`; `undefined` once the connection is closed. */
  nextWake(): number | undefined {
    if (this.#state === "closed") return undefined;
    if (this.#opening !== undefined) return this.#opening.deadline;
    if (this.#established === undefined) return this.#closeAt;
    return Math.min(this.#closeAt, this.#established.deadline, this.#giveUpAt(this.#established));
  }

  /** Does the work due by `now`. */
  tick(now: number): void {
    if (this.#state === "closed") return;
    if (this.#opening?.tick(now) === false) {
      if (this.#state === "syn-received") this.#sendReset();
      this.#fail("timed-out", "no answer to the SYN");
    } else if (now >= this.#closeAt) {
      this.#endWait();
    } else if (this.#established !== undefined) {
      const isAlive = this.#established.tick(now) && now < this.#giveUpAt(this.#established);
      if (isAlive) return;
      this.#sendReset();
      this.#fail("timed-out", "the peer does not answer");
    }
  }

  /** Handles a segment of this connection. */
  receive(segment: TcpSegment, now: number): void {
    if (this.#state === "closed") return;
    if (this.#opening !== undefined) {
      this.#open(this.#opening, segment, now);
      // The segment that ends a handshake may carry data; a SYN is already handled.
      if ((segment.flags & TcpFlag.syn) !== 0) return;
    }
    if (this.#established !== undefined) this.#receiveEstablished(this.#established, segment, now);
  }

  /**
   * Writes the next segment to send to `target` at `at`, where there must be room for the MTU less 40, and returns
   * its length; 0 if there is none.
   */
  writeSegment(target: Uint8Array, at: number, now: number): number {
    if (this.#reset !== undefined) {
      const { flags, sequence, acknowledgment } = this.#reset;
      this.#reset = undefined;
      return this.#writer.bare(flags, sequence, acknowledgment, target, at);
    }
    if (this.#state === "closed") return 0;
    if (this.#opening !== undefined) return this.#opening.write(this.#writer, target, at, now);
    if (this.#established === undefined) return 0;
    const length = this.#established.write(this.#writer, target, at, now);
    if (this.#established.sender.isFinSent) this.#moveTo(afterFinSent(this.#state), now);
    return length;
  }

  #giveUpAt({ sender }: Established): number {
    return sender.waitingSince + this.#options.userTimeoutMs;
  }

  #open(opening: Opening, segment: TcpSegment, now: number): void {
    const step = opening.receive(segment, now);
    switch (step.type) {
      case "waiting":
        if (opening.hasSyn) this.#state = "syn-received";
        return;
      case "stray":
        this.#reset = { flags: TcpFlag.rst, sequence: segment.acknowledgment, acknowledgment: 0 };
        return;
      case "reset":
        if (this.#state === "syn-sent") this.#fail("refused", "connection refused");
        else this.#fail("reset", "connection reset during the handshake");
        return;
      case "established":
        this.#establish(step.established, now);
    }
  }

  #establish(established: Established, now: number): void {
    this.#opening = undefined;
    this.#established = established;
    this.#state = "established";
    established.keepAlive.set(this.#keepAlive, now);
    if (this.#finishesAtOnce) established.sender.finish(now);
    this.#events.push({ type: "connected" });
  }

  #receiveEstablished(established: Established, segment: TcpSegment, now: number): void {
    switch (established.receive(segment, now)) {
      case "dropped":
        // A repeated FIN restarts TIME-WAIT.
        if (this.#state === "time-wait" && (segment.flags & TcpFlag.fin) !== 0) {
          this.#closeAt = now + timeWaitMs;
        }
        return;
      case "reset":
        // RFC 1337: a RST does not end TIME-WAIT.
        if (this.#state !== "time-wait") this.#fail("reset", "connection reset by peer");
        return;
      case "taken":
        if (established.sender.takeWritable()) this.#events.push({ type: "writable" });
        if (established.sender.isFinAcknowledged) {
          this.#moveTo(afterFinAcknowledged(this.#state), now);
        }
        if (this.#state !== "closed") this.#receiveData(established, segment, now);
    }
  }

  #receiveData(established: Established, segment: TcpSegment, now: number): void {
    const { receiver } = established;
    const offset = established.offsetOf(segment);
    const payloadBytes = segment.payloadEnd - segment.payloadStart;
    if (receiver.isFinished) {
      if (segmentLength(segment) > 0) receiver.acks.demand();
      return;
    }
    if (this.#isAbandoned && offset + payloadBytes > receiver.next) {
      this.#sendReset();
      this.#fail("aborted", "data received after close");
      return;
    }
    const before = receiver.readable;
    if (payloadBytes > 0) receiver.receive(segment, offset, now);
    if ((segment.flags & TcpFlag.fin) !== 0) receiver.receiveFin(offset + payloadBytes);
    if (receiver.readable > before && !this.#isReadablePending) {
      this.#isReadablePending = true;
      this.#events.push({ type: "readable" });
    }
    if (!receiver.isFinished) return;
    this.#events.push({ type: "finished" });
    this.#moveTo(afterPeerFin(this.#state), now);
  }

  /** Ends TIME-WAIT, or the time for a connection to end by itself. */
  #endWait(): void {
    if (this.#state === "time-wait") this.#state = "closed";
    else if (this.#state === "fin-wait-2") this.#end(undefined);
    else {
      this.#sendReset();
      this.#fail("timed-out", "the peer does not close the connection");
    }
  }

  #moveTo(state: TcpState, now: number): void {
    if (state === this.#state) return;
    this.#state = state;
    if (state === "closed") this.#end(undefined);
    if (state !== "time-wait") return;
    this.#closeAt = now + timeWaitMs;
    this.#established?.keepAlive.set(undefined, now);
    this.#events.push({ type: "closed", error: undefined });
  }

  #fail(code: TcpErrorCode, message: string): void {
    if (this.#state === "closed") return;
    // The application was told of a successful end.
    if (this.#state === "time-wait") this.#state = "closed";
    else this.#end(new TcpError(code, message));
  }

  #end(error: TcpError | undefined): void {
    this.#state = "closed";
    this.#opening = undefined;
    this.#established?.sender.clear();
    this.#events.push({ type: "closed", error });
  }

  #sendReset(): void {
    const flags = TcpFlag.rst | TcpFlag.ack;
    if (this.#established !== undefined) {
      const { sequence, acknowledgment } = this.#established;
      this.#reset = { flags, sequence, acknowledgment };
    } else if (this.#opening !== undefined) {
      const sequence = wrapOffset(this.#flow.initialSequence, 1);
      this.#reset = { flags, sequence, acknowledgment: this.#opening.acknowledgment };
    }
  }
}
