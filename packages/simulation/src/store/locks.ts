import type { Holder } from "./holder.ts";

/** The locks, each with its holder until the end of its transaction, and the waiters. */
export class Locks {
  readonly #holders = new Map<string, Holder>();
  readonly #waiting = new Map<Holder, { readonly key: string; readonly wake: () => void }>();

  /** Called for each lock that is acquired. */
  onTaken: (key: string) => void = () => undefined;

  /** Acquires the lock or returns its holder. */
  take(key: string, by: Holder): "taken" | { readonly heldBy: Holder } {
    const holder = this.#holders.get(key);
    if (holder !== undefined && holder !== by) return { heldBy: holder };
    this.#holders.set(key, by);
    if (holder === undefined) this.onTaken(key);
    return "taken";
  }

  holder(key: string): Holder | undefined {
    return this.#holders.get(key);
  }

  /**
   * Resolves to true when the lock may be free; to false if the holder waits for `waiter`, so that it never will be.
   */
  async wait(key: string, waiter: Holder): Promise<boolean> {
    if (this.#isCircle(key, waiter)) return false;
    await new Promise<void>((wake) => {
      this.#waiting.set(waiter, { key, wake });
    });
    return true;
  }

  /** Releases the locks at the end of a transaction. */
  releaseAll(holder: Holder): void {
    this.#waiting.delete(holder);
    for (const [key, by] of this.#holders) {
      if (by === holder) this.#holders.delete(key);
    }
    for (const [waiter, { key, wake }] of this.#waiting) {
      if (this.#holders.has(key)) continue;
      this.#waiting.delete(waiter);
      wake();
    }
  }

  #isCircle(key: string, waiter: Holder): boolean {
    for (let next = this.#holders.get(key); next !== undefined;) {
      if (next === waiter) return true;
      const waitsFor = this.#waiting.get(next);
      next = waitsFor === undefined ? undefined : this.#holders.get(waitsFor.key);
    }
    return false;
  }
}
