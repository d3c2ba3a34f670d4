import type { Clock } from "@slipway/runtime";

import type { Scheduler } from "./scheduler.ts";

/**
 * One life of a simulated process, from its start to its crash, and the clock of the code that runs in it. After `end`
 * nothing of it goes on: its code waits forever, as when the machine is switched off.
 */
export class Life implements Clock {
  readonly name: string;
  /** Never aborts. Belongs to this life: listeners of one that all worlds share would keep them in memory. */
  readonly forever: AbortSignal = new AbortController().signal;
  readonly #scheduler: Scheduler;
  /** The time by which its wall clock is ahead, in milliseconds. */
  readonly #skewMs: number;
  readonly #onEnd = new Set<() => void>();
  #alive = true;

  constructor(name: string, scheduler: Scheduler, skewMs = 0) {
    this.name = name;
    this.#scheduler = scheduler;
    this.#skewMs = skewMs;
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  now(): number {
    return this.#scheduler.nowMs + this.#skewMs;
  }

  monotonic(): number {
    return this.#scheduler.elapsedMs;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waking = this.after(ms, () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
    const onAbort = (): void => {
      waking[Symbol.dispose]();
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    await promise;
  }

  /** Runs an effect after a while, if it still lives. */
  after(delayMs: number, run: () => void): Disposable {
    return this.#scheduler.after(delayMs, () => {
      if (this.#alive) run();
    });
  }

  /** Resolves to the result of `effect` after a while; never, if this life ends before. */
  async step<T>(delayMs: number, effect: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.after(delayMs, () => {
        try {
          resolve(effect());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** Adds an effect of its end on the rest of the world: connections break, transactions are rolled back. */
  onEnd(run: () => void): Disposable {
    this.#onEnd.add(run);
    return { [Symbol.dispose]: () => void this.#onEnd.delete(run) };
  }

  /** Ends the life. Idempotent. */
  end(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const run of this.#onEnd) run();
  }
}
