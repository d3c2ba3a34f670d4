import type { Clock } from "./clock.ts";

/** The reason that ends a wait; shared, because each new error would record a stack that is never read. */
const wokenUp = new DOMException("woken up", "AbortError");

/** The longest wait that a timer supports. */
const maxWaitMs = 2 ** 30;

/**
 * A latch that means "check again". Any number of calls to `wake` before a wait count as one; a wake between two
 * waits is not lost. One waiter at a time.
 */
export class Wake {
  #awake = false;
  /** The latest time until which a waiter waits; -Infinity without waiters. */
  #until = Number.NEGATIVE_INFINITY;
  #waiter: (() => void) | undefined;

  wake(): void {
    this.#awake = true;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.();
  }

  /** Wakes a waiter of `waitUntil` that would wait beyond a time of the same clock. No-op without a waiter. */
  wakeBefore(at: number): void {
    if (at < this.#until) this.wake();
  }

  /**
   * Resolves at the next wake, or at a monotonic time of the clock, which may be infinity; `now` is the current time.
   * May resolve early, after twelve days. Rejects with the signal's reason.
   */
  waitUntil(at: number, now: number, clock: Clock, signal: AbortSignal): Promise<void> {
    // An already awake latch does not wait.
    if (!this.#awake) this.#until = at;
    return this.wait(Math.min(Math.max(at - now, 0), maxWaitMs), clock, signal);
  }

  /** Resolves at the next wake, however late: it takes no timer. Rejects with the signal's reason. */
  woken(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        this.#waiter = undefined;
        reject(signal.reason);
      };
      const onWake = (): void => {
        signal.removeEventListener("abort", onAbort);
        this.#awake = false;
        resolve();
      };
      if (this.#awake) return onWake();
      this.#waiter = onWake;
      return signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Resolves at the next wake, or after `timeoutMs`. Rejects with the signal's reason. */
  async wait(timeoutMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#awake) {
      // Not by `AbortSignal.any`, which is slow: every other packet wakes a stack of connections.
      const over = new AbortController();
      const end = (): void => over.abort(wokenUp);
      this.#waiter = end;
      signal.addEventListener("abort", end, { once: true });
      try {
        await clock.sleep(timeoutMs, over.signal);
      } catch (error) {
        signal.throwIfAborted();
        if (error !== wokenUp) throw error;
      } finally {
        this.#waiter = undefined;
        this.#until = Number.NEGATIVE_INFINITY;
        signal.removeEventListener("abort", end);
      }
    }
    this.#awake = false;
  }
}
