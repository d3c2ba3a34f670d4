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
      // Not by `AbortSignal.any`, which is slow: stacks of connections are woken by every other packet.
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
        signal.removeEventListener("abort", end);
      }
    }
    this.#awake = false;
  }
}
