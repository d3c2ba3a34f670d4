/** Admits tasks while permitted, and the others in the order of their arrival. */
export class Turnstile {
  readonly #mayEnter: (inside: number) => boolean;
  #inside = 0;
  /** Created on the first wait: most sessions never wait. */
  #waiting: Set<() => void> | undefined;

  /**
   * Takes `mayEnter`, which decides by the number of tasks inside; when its answer changes for another reason, call
   * `advance`.
   */
  constructor(mayEnter: (inside: number) => boolean) {
    this.#mayEnter = mayEnter;
  }

  /** True if no one is inside or waiting. */
  get isEmpty(): boolean {
    return this.#inside === 0 && !this.#waiting?.size;
  }

  /** Runs a task inside. Rejects with the signal's reason if it is aborted before its turn. */
  async run<T>(signal: AbortSignal | undefined, task: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    await this.#enter(signal);
    try {
      return await task();
    } finally {
      this.#leave();
    }
  }

  /** Runs a part of a task that is inside, outside: others may enter meanwhile. Resolves once the task is inside again. */
  async runOutside<T>(part: () => Promise<T>): Promise<T> {
    this.#leave();
    try {
      return await part();
    } finally {
      await this.#enter(undefined);
    }
  }

  /** Admits the tasks that may enter now. */
  advance(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    for (const enter of waiting) {
      if (!this.#mayEnter(this.#inside)) return;
      waiting.delete(enter);
      this.#inside += 1;
      enter();
    }
  }

  async #enter(signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting?.size || !this.#mayEnter(this.#inside)) await this.#wait(signal);
    else this.#inside += 1;
  }

  #leave(): void {
    this.#inside -= 1;
    this.advance();
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    this.#waiting ??= new Set();
    const waiting = this.#waiting;
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        waiting.delete(enter);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", leave, { once: true });
      waiting.add(enter);
    });
  }
}
