import { VirtualLink } from "../links/virtual-link.ts";
import type { Impairment } from "./layout.ts";

/**
 * The slack of timers, which count whole milliseconds and fire late; the rest of a wait is spent in event loop turns.
 */
const timerSlackMs = 2;

/** One direction of a link in real time. */
export class TimedLink {
  readonly #deliver: (packet: Uint8Array) => void;
  #link: VirtualLink;
  #isWaiting = false;

  constructor(impairment: Impairment, seed: number, deliver: (packet: Uint8Array) => void) {
    this.#link = linkOf(impairment, seed);
    this.#deliver = deliver;
  }

  /** Restarts the link with other faults; packets in transit are lost. */
  impair(impairment: Impairment, seed: number): void {
    this.#link = linkOf(impairment, seed);
  }

  /** Sends a copy of a packet. */
  send(packet: Uint8Array): void {
    this.#link.send(packet, performance.now());
    this.#wait();
  }

  #wait(): void {
    const at = this.#link.nextArrival;
    if (this.#isWaiting || at === undefined) return;
    this.#isWaiting = true;
    const waitMs = at - performance.now() - timerSlackMs;
    if (waitMs >= 1) setTimeout(() => this.#wake(), waitMs);
    else setImmediate(() => this.#wake());
  }

  #wake(): void {
    this.#isWaiting = false;
    for (;;) {
      const packet = this.#link.receive(performance.now());
      if (packet === undefined) break;
      this.#deliver(packet);
    }
    this.#wait();
  }
}

function linkOf(impairment: Impairment, seed: number): VirtualLink {
  const { rttMs, lossRate, bytesPerMs = 12_500, queuePackets = 256 } = impairment;
  return new VirtualLink({ delayMs: rttMs / 2, lossRate, bytesPerMs, queuePackets }, seed);
}
