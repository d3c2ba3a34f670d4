interface Reads<T> {
  /** Settles when the read that is under way has ended, however it ended. */
  readonly running: Promise<unknown>;
  /** The read that begins then, for all who asked meanwhile. */
  next: Promise<T> | undefined;
}

/**
 * Reads that many ask for at the same moment. One that comes alone is done at once; those that come while a read of the same
 * key is under way share the next, which sees all that was committed before they asked.
 */
export class GatheredReads<T> {
  readonly #reads = new Map<string, Reads<T>>();

  /** `read` must find the same for everybody who asks by a key. */
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
