/**
 * The time that work for others may take of each turn of the event loop. Share one among all that may be put off, and look
 * at `isOver` before each piece of it: what finds the turn over waits for the next one, by `setImmediate`.
 */
export class LoopTurn {
  readonly #maxMs: number;
  readonly #now: () => number;
  #endsAt: number | undefined;

  /** Takes a clock for tests; the turns are those of the real event loop. */
  constructor(maxMs: number, now: () => number = () => performance.now()) {
    this.#maxMs = maxMs;
    this.#now = now;
  }

  /** True once the turn has lasted so long that the rest of the work should wait; the first look begins the turn. */
  get isOver(): boolean {
    if (this.#endsAt !== undefined) return this.#now() >= this.#endsAt;
    this.#endsAt = this.#now() + this.#maxMs;
    setImmediate(() => {
      this.#endsAt = undefined;
    });
    return false;
  }

  /** Calls `act` in the next turn, which it then begins. */
  next(act: () => void): void {
    setImmediate(act);
  }
}
