import type { Socket } from "node:net";

/**
 * A connection through a proxy: the side that came and the side that was made for it. While it is stalled nothing passes,
 * not even that a side has gone, as when a network loses packets.
 *
 *   open ──stall──► stalled ──resume──► open
 *    │                 │
 *    └──cut, or both sides have ended──► over
 */
export class ProxyLink {
  readonly #sides: readonly [Socket, Socket];
  #isStalled = false;

  /**
   * Takes sides with `allowHalfOpen`: each side's end is passed on by itself. `onOver` is called once both have gone.
   */
  constructor(near: Socket, far: Socket, onOver: () => void) {
    this.#sides = [near, far];
    this.#join(near, far, onOver);
    this.#join(far, near, onOver);
  }

  get isStalled(): boolean {
    return this.#isStalled;
  }

  /** Resets both sides: data under way is lost. */
  cut(): void {
    for (const side of this.#sides) reset(side);
  }

  stall(): void {
    this.#isStalled = true;
    for (const side of this.#sides) side.pause();
  }

  /** Passes on the data that has arrived in the meantime. */
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
    // Its close shows the error.
    from.on("error", () => undefined);
    from.on("close", (hasError) => {
      if (hasError && !this.#isStalled) reset(to);
      if (to.destroyed) onOver();
    });
  }
}

/**
 * A socket with a path knows no reset; it has no address either. Of one whose end is on its way Node would lose the handle,
 * and turn forever at its exit.
 */
function reset(side: Socket): void {
  if (side.remoteAddress === undefined || side.writableEnded) side.destroy();
  else side.resetAndDestroy();
}
