/** A task that runs until it is done or its signal is aborted. */
export type Task = (signal: AbortSignal) => Promise<void>;

/**
 * Owns background tasks. The first failure aborts the others; `close` aborts all and waits for them.
 *
 * The opener of a scope closes it, or holds it with `await using`. A failure is reported exactly once: to `failed`.
 */
export class Scope implements AsyncDisposable {
  readonly #controller = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #failure = Promise.withResolvers<never>();

  constructor(parent?: AbortSignal) {
    // An unwatched scope must not end the process; `failed` still rejects for those who watch.
    this.#failure.promise.catch(() => undefined);
    if (parent === undefined) return;
    if (parent.aborted) {
      this.#controller.abort(parent.reason);
      return;
    }
    const onAbort = (): void => this.#controller.abort(parent.reason);
    parent.addEventListener("abort", onAbort, { once: true, signal: this.#controller.signal });
  }

  /** Aborted when the scope closes or one of its tasks fails. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Rejects with the first failure of a task; never resolves. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /** Starts a task. An error that it throws after the scope was aborted counts as its normal end. */
  run(task: Task): void {
    const running = this.#settle(task);
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
  }

  /** Waits until every task has ended by itself; rejects with the first failure. */
  async join(): Promise<void> {
    const ended = (async () => {
      while (this.#running.size > 0) await Promise.all(this.#running);
    })();
    // The failure comes first: if both are settled, a race returns the first of the list.
    await Promise.race([this.#failure.promise, ended]);
  }

  /** Aborts every task and waits until all have ended. Idempotent. */
  async close(reason: unknown = new DOMException("scope closed", "AbortError")): Promise<void> {
    this.#controller.abort(reason);
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #settle(task: Task): Promise<void> {
    try {
      await task(this.#controller.signal);
    } catch (error) {
      if (this.#controller.signal.aborted) return;
      this.#failure.reject(error);
      this.#controller.abort(error);
    }
  }
}
