interface Reads<T> {
  /** Settles when the read under way ends, successfully or not. */
  readonly running: Promise<unknown>;
  /** The read that begins then, shared by all callers that asked in the meantime. */
  next: Promise<T> | undefined;
}

/**
 * Coalesces concurrent reads. A single read runs immediately; reads that arrive while one of the same key is under way
 * share the next, which sees everything committed before they arrived.
 */
export class GatheredReads<T> {
  readonly #reads = new Map<string, Reads<T>>();

  /** Runs or joins a read; `read` must find the same for all callers with a key. */
  read(key: string, read: () => Promise<T>): Promise<T> {
    const reads = this.#reads.get(key);
    if (reads === undefined) return this.#begin(key, read);
    reads.next ??= reads.running.then(() => this.#begin(key, read));
    return reads.next;
  }

  #begin(key: string, read: () => Promise<T>): Promise<T> {
    const result = read();
    const reads: Reads<T> = {
      running: result.then(
        () => this.#end(key, reads),
        () => this.#end(key, reads),
      ),
      next: undefined,
    };
    this.#reads.set(key, reads);
    return result;
  }

  #end(key: string, reads: Reads<T>): void {
    if (reads.next === undefined && this.#reads.get(key) === reads) this.#reads.delete(key);
  }
}
