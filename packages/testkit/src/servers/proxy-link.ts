import type { Socket } from "node:net";

/**
 * A connection through a proxy: the accepted side and the side opened for it. While it is stalled nothing passes, not even
 * the close of a side, as when a network loses packets.
 *
 *   open ──stall──► stalled ──resume──► open
 *    │                 │
 *    └──cut, or both sides have ended──► over
 */
export class ProxyLink {
  readonly #sides: readonly [Socket, Socket];
  #isStalled = false;

  /**
   * `near` and `far` allow half-open connections: each side's end is passed on separately. Calls `onOver` once both
   * have closed.
   */
  constructor(near: Socket, far: Socket, onOver: () => void) {
    this.#sides = [near, far];
    this.#join(near, far, onOver);
    this.#join(far, near, onOver);
  }

  get isStalled(): boolean {
    return this.#isStalled;
  }

  /** Resets both sides: data in transit is lost. */
  cut(): void {
    for (const side of this.#sides) reset(side);
  }

  stall(): void {
    this.#isStalled = true;
    for (const side of this.#sides) side.pause();
  }

  /** Passes on the data that arrived in the meantime. */
  resume(): void {
    this.#isStalled = false;
    const [near, far] = this.#sides;
    if (near.destroyed || far.destroyed) this.cut();
    for (const side of this.#sides) side.resume();
  }

  #join(from: Socket, to: Socket, onOver: () => void): void {
    from.on("data", (chunk) => {
      if (!to.write(chunk)) from.pause();
    });
    from.on("drain", () => {
      if (!this.#isStalled) to.resume();
    });
    from.on("end", () => to.end());
    // Its close reports the error.
    from.on("error", () => undefined);
    from.on("close", (hasError) => {
      if (hasError && !this.#isStalled) reset(to);
      if (to.destroyed) onOver();
    });
  }
}

/**
 * Resets a socket, or destroys a Unix socket, which has neither a reset nor an address. Node would lose the handle of
 * one whose end is in transit, and never exit.
 */
function reset(side: Socket): void {
  if (side.remoteAddress === undefined || side.writableEnded) side.destroy();
  else side.resetAndDestroy();
}
