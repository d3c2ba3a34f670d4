import type { Clock } from "@slipway/runtime";

import type { Scheduler } from "./scheduler.ts";

/**
 * One life of a simulated process, from its start to its crash, and the clock of the code in it. After `end` none of
 * it continues: its code waits forever, as when a machine is switched off.
 */
export class Life implements Clock {
  readonly name: string;
  /**
   * A signal that never aborts. Each life has one: listeners on a signal shared by all worlds would keep them in
   * memory.
   */
  readonly forever: AbortSignal = new AbortController().signal;
  readonly #scheduler: Scheduler;
  /** The lead of its wall clock, in milliseconds. */
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

  /** Runs an effect after a delay if it is still alive. */
  after(delayMs: number, run: () => void): Disposable {
    return this.#scheduler.after(delayMs, () => {
      if (this.#alive) run();
    });
  }

  /** Resolves to the result of `effect` after a delay; never if this life ends first. */
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

  /** Adds an effect of its end on the rest of the world: connections break, transactions roll back. */
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
