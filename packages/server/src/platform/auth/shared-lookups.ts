interface RunningLookup<T> {
  /** Resolves when the lookup settles; never rejects. */
  readonly ended: Promise<unknown>;
  next: Promise<T> | undefined;
}

/**
 * Shares lookups by key. Callers that arrive while a lookup of a key runs share the next one, so that nobody gets data
 * read before they asked, and many concurrent callers cost two lookups.
 */
export class SharedLookups<T> {
  readonly #look: (key: string) => Promise<T>;
  readonly #running = new Map<string, RunningLookup<T>>();

  constructor(look: (key: string) => Promise<T>) {
    this.#look = look;
  }

  find(key: string): Promise<T> {
    const running = this.#running.get(key);
    if (running === undefined) return this.#start(key);
    running.next ??= running.ended.then(() => this.#start(key));
    return running.next;
  }

  #start(key: string): Promise<T> {
    const lookup = this.#look(key);
    const ended = lookup.then(
      () => this.#end(key, running),
      () => this.#end(key, running),
    );
    const running: RunningLookup<T> = { ended, next: undefined };
    this.#running.set(key, running);
    return lookup;
  }

  #end(key: string, running: RunningLookup<T>): void {
    if (running.next === undefined && this.#running.get(key) === running) this.#running.delete(key);
  }
}
