/** Admits tasks while permitted, and the others in the order of their arrival. */
export class Turnstile {
  readonly #mayEnter: (inside: number) => boolean;
  #inside = 0;
  /** The waiting tasks, returning ones first. Created on the first wait: most sessions never wait. */
  #waiting: { readonly returning: Set<() => void>; readonly arriving: Set<() => void> } | undefined;

  /**
   * Takes `mayEnter`, which decides by the number of tasks inside; when its answer changes for another reason, call
   * `advance`.
   */
  constructor(mayEnter: (inside: number) => boolean) {
    this.#mayEnter = mayEnter;
  }

  /** True if no one is inside or waiting. */
  get isEmpty(): boolean {
    return this.#inside === 0 && !this.#isAwaited("arriving");
  }

  /** Runs a task inside. Rejects with the signal's reason if it is aborted before its turn. */
  async run<T>(signal: AbortSignal | undefined, task: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    await this.#enter("arriving", signal);
    try {
      return await task();
    } finally {
      this.#leave();
    }
  }

  /**
   * Runs a part of a task that is inside, outside: others may enter meanwhile. Resolves once the task is inside again, which
   * it enters before those that have not been inside yet.
   */
  async runOutside<T>(part: () => Promise<T>): Promise<T> {
    this.#leave();
    try {
      return await part();
    } finally {
      await this.#enter("returning", undefined);
    }
  }

  /** Admits the tasks that may enter now. */
  advance(): void {
    if (this.#waiting === undefined) return;
    for (const queue of [this.#waiting.returning, this.#waiting.arriving]) {
      for (const enter of queue) {
        if (!this.#mayEnter(this.#inside)) return;
        queue.delete(enter);
        this.#inside += 1;
        enter();
      }
    }
  }

  async #enter(as: Entrance, signal: AbortSignal | undefined): Promise<void> {
    if (this.#isAwaited(as) || !this.#mayEnter(this.#inside)) await this.#wait(as, signal);
    else this.#inside += 1;
  }

  /** Returns whether others enter before one that comes now. */
  #isAwaited(as: Entrance): boolean {
    const { returning, arriving } = this.#waiting ?? {};
    return !!returning?.size || (as === "arriving" && !!arriving?.size);
  }

  #leave(): void {
    this.#inside -= 1;
    this.advance();
  }

  #wait(as: Entrance, signal: AbortSignal | undefined): Promise<void> {
    this.#waiting ??= { returning: new Set(), arriving: new Set() };
    const queue = this.#waiting[as];
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        queue.delete(enter);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", leave, { once: true });
      queue.add(enter);
    });
  }
}

/** Tasks arrive once; those that have left for a part of their work return. */
type Entrance = "arriving" | "returning";
