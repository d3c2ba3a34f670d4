import type { Clock } from "@slipway/runtime";

/** The slowdown of further attempts after failures of one key. Times are in milliseconds. */
export interface Slowdown {
  /** The number of failures without a delay; each one after that doubles it, starting at a second. */
  readonly freeFailures: number;
  readonly maxDelayMs: number;
  /** The time after which one failure is forgotten. */
  readonly forgetOneMs: number;
  /** The number of concurrent attempts if no failure is remembered. */
  readonly maxAtOnce: number;
}

interface Counted {
  /** The failures at `lastAt`, less those forgotten until then. */
  readonly failures: number;
  readonly lastAt: number;
}

/** The maximum number of counted keys; beyond it the oldest counts are forgotten. */
const maxKeys = 50_000;
const firstDelayMs = 1_000;

/** Counts failures by key. */
export class FailureCounts {
  readonly #clock: Pick<Clock, "now">;
  readonly #slowdown: Slowdown;
  readonly #counted = new Map<string, Counted>();
  readonly #running = new Map<string, number>();

  constructor(clock: Pick<Clock, "now">, slowdown: Slowdown) {
    this.#clock = clock;
    this.#slowdown = slowdown;
  }

  /**
   * Returns the time the next attempt has to wait; 0 if it may run now. If failures are remembered, a running attempt
   * counts as another one, so that no more of them share a delay than there are free failures left, or one.
   */
  waitMs(key: string): number {
    const { freeFailures, maxDelayMs, maxAtOnce } = this.#slowdown;
    const running = this.#running.get(key) ?? 0;
    if (running >= maxAtOnce) return firstDelayMs;
    const counted = this.#counted.get(key);
    const failures = counted === undefined ? 0 : Math.ceil(this.#left(counted));
    if (counted === undefined || failures === 0) return 0;
    if (running > 0 && failures + running >= freeFailures) return firstDelayMs;
    const beyond = failures - freeFailures;
    if (beyond < 0) return 0;
    const delay = Math.min(firstDelayMs * 2 ** beyond, maxDelayMs);
    return Math.max(0, counted.lastAt + delay - this.#clock.now());
  }

  /** Counts a running attempt until the result is disposed of. */
  run(key: string): Disposable {
    this.#running.set(key, (this.#running.get(key) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const others = (this.#running.get(key) ?? 0) - 1;
        if (others > 0) this.#running.set(key, others);
        else this.#running.delete(key);
      },
    };
  }

  add(key: string): void {
    const counted = this.#counted.get(key);
    const failures = counted === undefined ? 1 : this.#left(counted) + 1;
    // Moved to the end, so that the first keys have been quiet for longest.
    this.#counted.delete(key);
    this.#counted.set(key, { failures, lastAt: this.#clock.now() });
    if (this.#counted.size <= maxKeys) return;
    const [quietest] = this.#counted.keys();
    if (quietest !== undefined) this.#counted.delete(quietest);
  }

  forget(key: string): void {
    this.#counted.delete(key);
  }

  #left({ failures, lastAt }: Counted): number {
    const forgotten = (this.#clock.now() - lastAt) / this.#slowdown.forgetOneMs;
    return Math.max(0, failures - forgotten);
  }
}
