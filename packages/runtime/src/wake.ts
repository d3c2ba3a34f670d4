import type { Clock } from "./clock.ts";

/** The reason that ends a wait; one for all, because each would record a stack that nobody reads. */
const wokenUp = new DOMException("woken up", "AbortError");

/**
 * A latch that says "look again". Any number of calls to `wake` before a wait count as one; a wake between two waits
 * is not lost. One waiter at a time.
 */
export class Wake {
  #awake = false;
  #waiter: (() => void) | undefined;

  wake(): void {
    this.#awake = true;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.();
  }

  /** Resolves at the next wake, or after `timeoutMs`. Rejects with the signal's reason. */
  async wait(timeoutMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#awake) {
      const woken = new AbortController();
      const either = AbortSignal.any([signal, woken.signal]);
      this.#waiter = () => woken.abort(wokenUp);
      try {
        await clock.sleep(timeoutMs, either);
      } catch (error) {
        signal.throwIfAborted();
        if (!woken.signal.aborted) throw error;
      } finally {
        this.#waiter = undefined;
      }
    }
    this.#awake = false;
  }
}
