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

interface Running {
  readonly attempts: number;
  /** Resolves at the end of the next attempt that ends. */
  readonly nextEnd: PromiseWithResolvers<void>;
}

/** The answer to an attempt that would like to run. */
export type Turn =
  | { readonly kind: "free" }
  /** The results of running attempts decide; `nextEnd` resolves when to ask again. */
  | { readonly kind: "busy"; readonly nextEnd: Promise<void> }
  | { readonly kind: "delayed"; readonly waitMs: number };

/** The maximum number of counted keys; beyond it the oldest counts are forgotten. */
const maxKeys = 50_000;
const firstDelayMs = 1_000;

/** Counts failures by key. */
export class FailureCounts {
  readonly #clock: Pick<Clock, "now">;
  readonly #slowdown: Slowdown;
  readonly #counted = new Map<string, Counted>();
  readonly #running = new Map<string, Running>();

  constructor(clock: Pick<Clock, "now">, slowdown: Slowdown) {
    this.#clock = clock;
    this.#slowdown = slowdown;
  }

  /**
   * Decides about the next attempt. If failures are remembered, a running attempt counts as another one, so that no more
   * of them share a delay than there are free failures left, or one.
   */
  turn(key: string): Turn {
    const { freeFailures, maxDelayMs, maxAtOnce } = this.#slowdown;
    const running = this.#running.get(key);
    const counted = this.#counted.get(key);
    const failures = counted === undefined ? 0 : Math.ceil(this.#left(counted));
    if (running !== undefined) {
      const counts = failures > 0 && failures + running.attempts >= freeFailures;
      if (counts || running.attempts >= maxAtOnce) {
        return { kind: "busy", nextEnd: running.nextEnd.promise };
      }
    }
    const beyond = failures - freeFailures;
    if (counted === undefined || beyond < 0) return { kind: "free" };
    const delay = Math.min(firstDelayMs * 2 ** beyond, maxDelayMs);
    const waitMs = counted.lastAt + delay - this.#clock.now();
    return waitMs > 0 ? { kind: "delayed", waitMs } : { kind: "free" };
  }

  /** Counts a running attempt until the result is disposed of. */
  run(key: string): Disposable {
    const others = this.#running.get(key);
    const nextEnd = others?.nextEnd ?? Promise.withResolvers<void>();
    this.#running.set(key, { attempts: (others?.attempts ?? 0) + 1, nextEnd });
    return { [Symbol.dispose]: () => this.#end(key) };
  }

  #end(key: string): void {
    const running = this.#running.get(key);
    if (running === undefined) return;
    const attempts = running.attempts - 1;
    if (attempts > 0) this.#running.set(key, { attempts, nextEnd: Promise.withResolvers<void>() });
    else this.#running.delete(key);
    running.nextEnd.resolve();
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
