import { Random } from "../random.ts";

export interface LinkOptions {
  /** The travel time of a packet. */
  readonly delayMs: number;
  /** The bytes that the link carries per millisecond (default: unlimited). */
  readonly bytesPerMs?: number;
  /** The capacity of the queue in packets; later packets are dropped (default: unlimited). */
  readonly queuePackets?: number;
  /** The shares of packets that are lost, duplicated, or delayed by up to `lateMs` (default: none). */
  readonly lossRate?: number;
  readonly duplicateRate?: number;
  readonly lateRate?: number;
  readonly lateMs?: number;
  /** The overhead of lower layers per packet, in bytes (default: 0). */
  readonly overheadBytes?: number;
}

/** The number of a link's packets by fate. */
export interface LinkCounts {
  readonly sent: number;
  readonly lost: number;
  readonly dropped: number;
  readonly bytes: number;
}

interface Arrival {
  readonly at: number;
  readonly number: number;
  readonly packet: Uint8Array;
}

/** One direction of a path in virtual time: queue, rate, delay, loss, duplication and reordering, from one seed. */
export class VirtualLink {
  readonly #options: Required<LinkOptions>;
  readonly #random: Random;
  readonly #arrivals = new ArrivalHeap();
  /** The times at which the queued packets leave, and the index of the first that is still queued. */
  #departures: number[] = [];
  #departed = 0;
  readonly #counts = { sent: 0, lost: 0, dropped: 0, bytes: 0 };
  /** The longest packet that the link carries, lower layers included; longer ones are dropped silently. */
  maxPacketBytes = Number.POSITIVE_INFINITY;

  constructor(options: LinkOptions, seed: number) {
    this.#options = {
      bytesPerMs: Number.POSITIVE_INFINITY,
      queuePackets: Number.POSITIVE_INFINITY,
      lossRate: 0,
      duplicateRate: 0,
      lateRate: 0,
      lateMs: 0,
      overheadBytes: 0,
      ...options,
    };
    this.#random = new Random(seed);
  }

  get counts(): LinkCounts {
    return this.#counts;
  }

  /** Sends a copy of a packet. */
  send(packet: Uint8Array, now: number): void {
    const { queuePackets, bytesPerMs, overheadBytes } = this.#options;
    this.#counts.sent += 1;
    this.#counts.bytes += packet.length + overheadBytes;
    while ((this.#departures[this.#departed] ?? Number.POSITIVE_INFINITY) <= now) {
      this.#departed += 1;
    }
    if (this.#departed > 1024) {
      this.#departures = this.#departures.slice(this.#departed);
      this.#departed = 0;
    }
    const isTooLong = packet.length + overheadBytes > this.maxPacketBytes;
    if (isTooLong || this.#departures.length - this.#departed >= queuePackets) {
      this.#counts.dropped += 1;
      return;
    }
    const start = Math.max(now, this.#departures.at(-1) ?? now);
    const leavesAt = start + (packet.length + overheadBytes) / bytesPerMs;
    this.#departures.push(leavesAt);
    this.#travel(packet, leavesAt);
  }

  /** The time of the next arrival; undefined if nothing is in transit. */
  get nextArrival(): number | undefined {
    return this.#arrivals.first?.at;
  }

  /** Returns the next packet that has arrived by `now`. */
  receive(now: number): Uint8Array | undefined {
    const { first } = this.#arrivals;
    if (first === undefined || first.at > now) return undefined;
    this.#arrivals.removeFirst();
    return first.packet;
  }

  #travel(packet: Uint8Array, leavesAt: number): void {
    const { delayMs, lossRate, duplicateRate, lateRate, lateMs } = this.#options;
    if (this.#random.chance(lossRate)) {
      this.#counts.lost += 1;
      return;
    }
    const copies = this.#random.chance(duplicateRate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const late = this.#random.chance(lateRate) ? this.#random.between(0, lateMs) : 0;
      this.#arrivals.add(leavesAt + delayMs + late, packet.slice());
    }
  }
}

/** Packets by time of arrival; those with equal times in the order in which they were added. */
class ArrivalHeap {
  readonly #items: Arrival[] = [];
  #number = 0;

  get first(): Arrival | undefined {
    return this.#items[0];
  }

  add(at: number, packet: Uint8Array): void {
    const item = { at, number: this.#number, packet };
    this.#number += 1;
    let index = this.#items.length;
    this.#items.push(item);
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      const above = this.#items[parent];
      if (above === undefined || !isBefore(item, above)) break;
      this.#items[index] = above;
      index = parent;
    }
    this.#items[index] = item;
  }

  removeFirst(): void {
    const last = this.#items.pop();
    if (last === undefined || this.#items.length === 0) return;
    let index = 0;
    for (;;) {
      const child = this.#earlierChild(index);
      const below = this.#items[child];
      if (below === undefined || !isBefore(below, last)) break;
      this.#items[index] = below;
      index = child;
    }
    this.#items[index] = last;
  }

  #earlierChild(index: number): number {
    const left = this.#items[2 * index + 1];
    const right = this.#items[2 * index + 2];
    const isRight = left !== undefined && right !== undefined && isBefore(right, left);
    return 2 * index + (isRight ? 2 : 1);
  }
}

function isBefore(one: Arrival, other: Arrival): boolean {
  return one.at < other.at || (one.at === other.at && one.number < other.number);
}
