/**
 * A time budget in each turn of the event loop for deferrable work. Share one among all such work, and check `isOver`
 * before each piece: once the turn is over, the work waits for the next one, by `setImmediate`.
 */
export class LoopTurn {
  readonly #maxMs: () => number;
  readonly #now: () => number;
  #endsAt: number | undefined;

  /**
   * Takes the budget, or a function that returns it at the beginning of each turn. The clock is a parameter for tests; the
   * turns are those of the real event loop.
   */
  constructor(maxMs: number | (() => number), now: () => number = () => performance.now()) {
    this.#maxMs = typeof maxMs === "number" ? () => maxMs : maxMs;
    this.#now = now;
  }

  /** True once the turn has lasted so long that the rest of the work should wait; the first check begins the turn. */
  get isOver(): boolean {
    if (this.#endsAt !== undefined) return this.#now() >= this.#endsAt;
    this.#endsAt = this.#now() + this.#maxMs();
    setImmediate(() => {
      this.#endsAt = undefined;
    });
    return false;
  }

  /** Calls `act` in the next turn, which begins with it. */
  next(act: () => void): void {
    setImmediate(act);
  }
}
