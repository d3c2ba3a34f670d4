/** Callers that wait for the same event: all of them continue when it happens. */
export class Waiters {
  readonly #waiting = new Set<() => void>();

  /** Resolves at the next call of `wakeAll`, or once the signal is aborted. */
  async next(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const goOn = (): void => resolve();
    this.#waiting.add(goOn);
    signal?.addEventListener("abort", goOn, { once: true });
    try {
      await promise;
    } finally {
      this.#waiting.delete(goOn);
      signal?.removeEventListener("abort", goOn);
    }
  }

  wakeAll(): void {
    for (const goOn of this.#waiting) goOn();
    this.#waiting.clear();
  }
}
