import { Random } from "@slipway/testkit/random";

/** Faults of a path. */
export interface PathOptions {
  readonly delayMs: number;
  /** The shares of the packets that are lost, duplicated, or late by up to `lateMs`. */
  readonly lossRate: number;
  readonly duplicateRate: number;
  readonly lateRate: number;
  readonly lateMs: number;
}

/** Accepts packets and may keep them. */
export type TakePackets = (packets: readonly Uint8Array[]) => void;

/** One direction of a path in real time, in whole milliseconds. */
export class ImpairedPath {
  readonly #options: PathOptions;
  readonly #deliver: TakePackets;
  readonly #random: Random;
  /** Packets in transit, by time of arrival. */
  readonly #arrivals = new Map<number, Uint8Array[]>();

  constructor(options: PathOptions, seed: number, deliver: TakePackets) {
    this.#options = options;
    this.#deliver = deliver;
    this.#random = new Random(seed);
  }

  send(packets: readonly Uint8Array[]): void {
    const { delayMs, lossRate, duplicateRate, lateRate, lateMs } = this.#options;
    for (const packet of packets) {
      if (this.#random.chance(lossRate)) continue;
      const copies = this.#random.chance(duplicateRate) ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) {
        const late = this.#random.chance(lateRate) ? this.#random.between(1, lateMs) : 0;
        this.#arrive(packet, delayMs + Math.round(late));
      }
    }
  }

  #arrive(packet: Uint8Array, afterMs: number): void {
    const now = performance.now();
    const at = Math.floor(now) + afterMs;
    const others = this.#arrivals.get(at);
    if (others !== undefined) {
      others.push(packet);
      return;
    }
    const packets = [packet];
    this.#arrivals.set(at, packets);
    setTimeout(() => {
      this.#arrivals.delete(at);
      this.#deliver(packets);
    }, at - now);
  }
}
