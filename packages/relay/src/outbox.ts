import type { Clock } from "@slipway/runtime";
import { joinBytes } from "@slipway/wire/bytes/join";

import type { RelayCounters } from "./counters.ts";
import { FairQueue } from "./fair-queue.ts";
import type { RelayLimits } from "./limits.ts";
import type { RelayTransport } from "./transport.ts";
import type { Turns } from "./turns.ts";

/** The bytes handed to a transport at a time; this many do not wait for the end of the turn. */
const batchBytes = 64 * 1024;
/**
 * The bytes that a client may always have waiting, however scarce the shared room: a long packet, as a frame,
 * including the cost of keeping it (docs/decisions/packet-length.md).
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

/** The effect of a frame on the outbox: first of this turn, a further one, or dropped. */
type Addition = "first" | "further" | "dropped";

/**
 * Frames to send to one peer at the end of the turn: notices first, then packets in fair turns. The transport holds
 * one batch at a time, so that bytes which a peer leaves unread stay here, where they are bounded.
 */
export class Outbox {
  readonly #needs: OutboxNeeds;
  readonly #packets = new FairQueue();
  /** Created on demand: an empty array would become old with its client, and keep young notices alive. */
  #notices: Uint8Array[] | undefined;
  #noticeBytes = 0;
  /** The size of the batch that the transport holds; 0 if there is none. */
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

  /** Returns how long the transport has held the batch; 0 if there is none. */
  unreadMs(): number {
    return this.isIdle ? 0 : this.#needs.clock.monotonic() - this.#sendingSinceMs;
  }

  /** Sets the number of bytes of notices that may wait. */
  allowNotices(maxBytes: number): void {
    this.#maxNoticeBytes = maxBytes;
  }

  /** Sends everything added from now on, and everything that waits, through another transport. */
  useTransport(transport: Pick<RelayTransport, "send">): void {
    this.#transport = transport;
  }

  /** Sets the number of bytes of packets that may wait, including the cost of keeping them. */
  allowPackets(maxBytes: number): void {
    this.#maxQueuedBytes = maxBytes;
  }

  /** Adds a frame that goes before all packets. */
  addNotice(frame: Uint8Array): Addition {
    if (this.#isClosed) return "further";
    if (this.#noticeBytes + frame.length > this.#maxNoticeBytes) return "dropped";
    this.#notices ??= [];
    this.#notices.push(frame);
    this.#noticeBytes += frame.length;
    this.#count();
    return this.#needs.turns.send(this) ? "first" : "further";
  }

  /** Adds a packet's frame, from `start` to `end`, to the flow of its sender. A full queue drops its oldest packets. */
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

  /** Sends a batch unless one is in flight, and detaches waiting frames from the chunks in which they came. */
  flush(): void {
    if (this.isIdle) this.#send();
    this.#packets.settle();
  }

  close(): void {
    this.#isClosed = true;
    this.#notices = undefined;
    this.#noticeBytes = 0;
    this.#sendingBytes = 0;
    this.#packets.clear();
    this.#count();
  }

  #send(): void {
    if (this.#isClosed) return;
    const pieces = this.#notices === undefined ? [] : [joinBytes(this.#notices)];
    if (this.#noticeBytes < batchBytes) {
      pieces.push(...this.#packets.take(batchBytes - this.#noticeBytes));
    }
    this.#notices = undefined;
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
