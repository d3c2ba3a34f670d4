import type { Clock } from "@slipway/runtime";

/** How failures of one key slow down what is tried next. Times are in milliseconds. */
export interface Slowdown {
  /** Failures without a delay; each one from then on doubles it, from a second on. */
  readonly freeFailures: number;
  readonly maxDelayMs: number;
  /** One failure is forgotten after this long. */
  readonly forgetOneMs: number;
  /** The number of attempts that may run at a time, where no failure is remembered. */
  readonly maxAtOnce: number;
}

interface Counted {
  /** The failures at `lastAt`, less those forgotten until then. */
  readonly failures: number;
  readonly lastAt: number;
}

/** The number of keys that are counted; beyond it the ones that were counted first are forgotten. */
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
   * How long the next attempt has to wait; 0 when it may run now. Where failures are remembered, an attempt that runs counts as
   * another one, so that no more of them share a delay than there are free failures left, or one.
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

  /** Notes that an attempt runs, until the result is disposed of. */
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
    // Again at the end, so that the ones that stand first have been quiet for longest.
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
