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

  /** Not a generator: a server has thousands of readers, and a generator that waits takes several times the memory. */
  [Symbol.asyncIterator](): AsyncIterator<T, void, undefined> {
    return { next: () => this.#next() };
  }

  #next(): Promise<IteratorResult<T, void>> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve({ done: false, value: item });
    if (this.#end === undefined) {
      return new Promise((resolve) => {
        this.#wake = () => resolve(this.#next());
      });
    }
    const { error } = this.#end;
    if (error === undefined) return Promise.resolve({ done: true, value: undefined });
    return Promise.reject(error);
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
