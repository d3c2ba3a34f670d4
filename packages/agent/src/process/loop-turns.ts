/**
 * Gives work that comes in floods one turn of the event loop after the other, whoever it is of: between two of them everybody
 * else is served.
 */
export class LoopTurns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves in a later turn of the event loop, in which nobody else's does. */
  next(): Promise<void> {
    this.#last = this.#last.then(
      () =>
        new Promise((resolve) => {
          setImmediate(resolve);
        }),
    );
    return this.#last;
  }
}

/** The turns of this process, which has one event loop. */
export const loopTurns = new LoopTurns();
