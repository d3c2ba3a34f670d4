import type { Clock } from "@slipway/runtime";
import { joinBytes } from "@slipway/wire/bytes/join";

import type { RelayCounters } from "./counters.ts";
import { FairQueue } from "./fair-queue.ts";
import type { RelayLimits } from "./limits.ts";
import type { RelayTransport } from "./transport.ts";
import type { Turns } from "./turns.ts";

/** The bytes that are handed to a transport at a time; so many do not wait for the end of the turn. */
const batchBytes = 64 * 1024;
/**
 * The bytes that a client may have waiting, however little room there is for all: a long packet, as a frame, with the cost
 * of keeping it (docs/decisions/packet-length.md).
 */
const leastQueuedBytes = 17 * 1024;

interface OutboxNeeds {
  readonly transport: Pick<RelayTransport, "send">;
  readonly limits: RelayLimits;
  /** `queuedBytes` is the sum of all outboxes; `droppedPackets` counts what did not fit. */
  readonly counters: RelayCounters;
  readonly maxNoticeBytes: number;
  readonly clock: Clock;
  readonly turns: Pick<Turns, "send">;
}

/** The effect of a frame on the outbox: it was the first of this turn, one more, or one too many. */
type Addition = "first" | "further" | "dropped";

/**
 * Frames that wait to be sent to one peer at the end of the turn: notices first, then packets in fair turns. One batch at a time
 * is with the transport, so that what a peer leaves unread stays here, where it is bounded.
 */
export class Outbox {
  readonly #needs: OutboxNeeds;
  readonly #packets = new FairQueue();
  #notices: Uint8Array[] = [];
  #noticeBytes = 0;
  /** The size of the batch with the transport; 0 if there is none. */
  #sendingBytes = 0;
  #sendingSinceMs = 0;
  /** Contribution of this outbox to the sum of all. */
  #counted = 0;
  #maxNoticeBytes: number;
  #maxQueuedBytes: number;
  #transport: Pick<RelayTransport, "send">;
  #isClosed = false;

  constructor(needs: OutboxNeeds) {
    this.#needs = needs;
    this.#transport = needs.transport;
    this.#maxNoticeBytes = needs.maxNoticeBytes;
    this.#maxQueuedBytes = needs.limits.maxQueuedBytesPerClient;
  }

  get isIdle(): boolean {
    return this.#sendingBytes === 0;
  }

  /** Returns how long the transport has had the batch; 0 if it has none. */
  unreadMs(): number {
    return this.isIdle ? 0 : this.#needs.clock.monotonic() - this.#sendingSinceMs;
  }

  /** Sets the number of bytes of notices that may wait. */
  allowNotices(maxBytes: number): void {
    this.#maxNoticeBytes = maxBytes;
  }

  /** Sends everything that is added from here on, and what waits, through another transport. */
  useTransport(transport: Pick<RelayTransport, "send">): void {
    this.#transport = transport;
  }

  /** Sets the number of bytes of packets that may wait, with the cost of keeping them. */
  allowPackets(maxBytes: number): void {
    this.#maxQueuedBytes = maxBytes;
  }

  /** Adds a frame that goes before all packets. */
  addNotice(frame: Uint8Array): Addition {
    if (this.#isClosed) return "further";
    if (this.#noticeBytes + frame.length > this.#maxNoticeBytes) return "dropped";
    this.#notices.push(frame);
    this.#noticeBytes += frame.length;
    this.#count();
    return this.#needs.turns.send(this) ? "first" : "further";
  }

  /** Adds a packet's frame, from `start` to `end`, to the flow of its sender. A full queue loses its oldest packets. */
  addPacket(flowKey: string, bytes: Uint8Array, start: number, end: number): Addition {
    if (this.#isClosed) return "further";
    const { limits, counters, turns } = this.#needs;
    this.#packets.push(flowKey, bytes, start, end);
    this.#count();
    if (this.isIdle && this.#packets.cost >= batchBytes) this.#send();
    const room = limits.maxQueuedBytes - counters.queuedBytes;
    const most = Math.max(leastQueuedBytes, Math.min(this.#maxQueuedBytes, room));
    if (this.#packets.cost > most) {
      counters.droppedPackets.queueFull += this.#packets.shrink(most);
      this.#count();
    }
    return turns.send(this) ? "first" : "further";
  }

  /** Sends a batch unless one is on its way, and makes what has to wait independent of the chunk it came in. */
  flush(): void {
    if (this.isIdle) this.#send();
    this.#packets.settle();
  }

  close(): void {
    this.#isClosed = true;
    this.#notices = [];
    this.#noticeBytes = 0;
    this.#sendingBytes = 0;
    this.#packets.clear();
    this.#count();
  }

  #send(): void {
    if (this.#isClosed) return;
    const pieces = this.#notices.length === 0 ? [] : [joinBytes(this.#notices)];
    if (this.#noticeBytes < batchBytes) {
      pieces.push(...this.#packets.take(batchBytes - this.#noticeBytes));
    }
    this.#notices = [];
    this.#noticeBytes = 0;
    if (pieces.length === 0) return this.#count();
    for (const { length } of pieces) this.#sendingBytes += length;
    this.#sendingSinceMs = this.#needs.clock.monotonic();
    this.#count();
    this.#transport.send(pieces, () => this.#sent());
  }

  #sent(): void {
    if (this.#isClosed) return;
    this.#sendingBytes = 0;
    this.#count();
    if (this.#packets.cost >= batchBytes) this.#send();
    else if (this.#packets.cost + this.#noticeBytes > 0) this.#needs.turns.send(this);
  }

  #count(): void {
    const cost = this.#packets.cost + this.#noticeBytes + this.#sendingBytes;
    this.#needs.counters.queuedBytes += cost - this.#counted;
    this.#counted = cost;
  }
}
