/** The result of `offer`. */
export type OfferResult = "taken" | "full" | "closed";

/**
 * A bounded queue between one writer and one reader. A full mailbox refuses items, which the writer must handle. The
 * reader iterates; the iteration ends when the mailbox is closed and empty, or throws the error it was closed with.
 */
export class Mailbox<T> implements AsyncIterable<T> {
  readonly #items: T[] = [];
  readonly #capacity: number;
  #end: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#items.length;
  }

  offer(item: T): OfferResult {
    if (this.#end !== undefined) return "closed";
    if (this.#items.length >= this.#capacity) return "full";
    this.#items.push(item);
    this.#notify();
    return "taken";
  }

  /** Ends the mailbox: queued items are still read, then `error`, if any, is thrown. Idempotent. */
  close(error?: unknown): void {
    this.#end ??= { error };
    this.#notify();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) {
        yield item;
      } else if (this.#end !== undefined) {
        // oxlint-disable-next-line typescript/only-throw-error -- the writer's error is thrown unchanged
        if (this.#end.error !== undefined) throw this.#end.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
