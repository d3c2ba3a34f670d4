import { AckPolicy } from "./ack-policy.ts";
import { ReceiveQueue } from "./receive-queue.ts";
import type { ReceiveWindow } from "./receive-window.ts";
import { SackBlocks } from "./sack-blocks.ts";
import type { TcpSegment } from "./segment.ts";

export interface ReceiverOptions {
  /** The peer's initial sequence number. */
  readonly peerSequence: number;
  /** The payload of a full segment. */
  readonly segmentBytes: number;
  /** True if the peer understands reports of data beyond a gap. */
  readonly hasSack: boolean;
}

/** The receiving half of an established connection: the arrived data, and what is reported to the peer. */
export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #window: ReceiveWindow;
  readonly #queue = new ReceiveQueue(1);
  readonly #sacks: SackBlocks;
  readonly #acks = new AckPolicy();
  /** The offset of the peer's FIN, once received, and whether all data before it has arrived. */
  #fin: { readonly offset: number; isReached: boolean } | undefined;
  /** Smoothed from the peer's timestamps: the time from one of our ACKs to the data that it released. */
  #rttMs: number | undefined;

  /** Creates the receiver after a window was offered in the handshake. */
  constructor(options: ReceiverOptions, window: ReceiveWindow) {
    this.#options = options;
    this.#window = window;
    this.#sacks = new SackBlocks(options.peerSequence, this.#queue.outOfOrder);
  }

  /** RCV.NXT: the acknowledged offset. */
  get next(): number {
    return this.#queue.next + (this.isFinished ? 1 : 0);
  }

  /** The offset of the first byte that the peer may not send. */
  get windowEdge(): number {
    return this.#window.edge;
  }

  /** True once the peer's FIN and everything before it has arrived. */
  get isFinished(): boolean {
    return this.#fin?.isReached === true;
  }

  get readable(): number {
    return this.#queue.readable;
  }

  /** The bytes of memory that received data occupies. */
  get heldBytes(): number {
    return this.#queue.heldBytes;
  }

  get acks(): AckPolicy {
    return this.#acks;
  }

  /** True if data beyond a gap must be reported: reports go into a separate segment, which has room for them. */
  get hasReports(): boolean {
    return this.#options.hasSack && this.#sacks.isNeeded;
  }

  /** Returns a view of the next readable bytes; it may be kept. */
  peek(): Uint8Array | undefined {
    return this.#queue.peek();
  }

  /** Consumes read bytes: the window opens by as many. Never throws; the caller has compared. */
  consume(count: number, senderRttMs: number | undefined, now: number): void {
    this.#queue.consume(count);
    if (this.#fin !== undefined) return;
    this.#window.adapt(this.#queue.consumed, this.#rttMs ?? senderRttMs, now);
    if (this.#window.isUpdateDue(this.#queue.consumed, this.#queue.next)) this.#acks.demand();
  }

  /**
   * Handles the payload of an acceptable segment, whose first byte has `offset`; bytes beyond the window are cut off.
   */
  receive(segment: TcpSegment, offset: number, now: number): void {
    const { bytes, payloadStart, payloadEnd } = segment;
    const limit = Math.min(this.#window.edge, this.#fin?.offset ?? Number.POSITIVE_INFINITY);
    const end = Math.min(payloadEnd, payloadStart + (limit - offset));
    if (end <= payloadStart) {
      this.#acks.demand();
      return;
    }
    const hadGaps = this.#queue.outOfOrder.size > 0;
    switch (this.#queue.insert(offset, bytes, payloadStart, end)) {
      case "in-order":
        this.#acks.received(end - payloadStart, this.#options.segmentBytes, now);
        if (hadGaps || end < payloadEnd) this.#acks.demand();
        break;
      case "out-of-order":
        this.#sacks.received(offset + (end - payloadStart) - 1);
        this.#acks.demand();
        break;
      case "duplicate":
        this.#sacks.receivedAgain(offset, offset + (end - payloadStart));
        this.#acks.demand();
        break;
      case "refused":
        this.#acks.demand();
    }
    this.#reachFin();
  }

  /** Notes data that was received before, entirely below the acknowledged offset. */
  receivedAgain(start: number, end: number): void {
    this.#sacks.receivedAgain(start, end);
  }

  /** Handles the peer's FIN at `offset`. A FIN that contradicts earlier data counts as not received. */
  receiveFin(offset: number): void {
    this.#acks.demand();
    const { size } = this.#queue.outOfOrder;
    const highest = size === 0 ? this.#queue.next : this.#queue.outOfOrder.end(size - 1);
    if (offset < highest) return;
    this.#fin ??= { offset, isReached: false };
    this.#reachFin();
  }

  /** Records the time since the ACK of ours that a full segment answers. */
  measured(rttMs: number): void {
    if (this.#rttMs === undefined || rttMs < this.#rttMs) this.#rttMs = rttMs;
    else this.#rttMs += (rttMs - this.#rttMs) / 8;
  }

  /** Returns the value of the window field for a segment sent now. */
  takeWindow(): number {
    return this.#window.take(this.#queue.consumed, this.next);
  }

  /** Returns the edges of the SACK option for a segment sent now, and marks them as reported. */
  takeReports(): readonly number[] {
    return this.#options.hasSack ? this.#sacks.take() : [];
  }

  #reachFin(): void {
    if (this.#fin !== undefined && this.#queue.next === this.#fin.offset) {
      this.#fin.isReached = true;
    }
  }
}
