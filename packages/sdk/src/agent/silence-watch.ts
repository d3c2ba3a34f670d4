import type { Clock } from "@slipway/runtime";

/** A watch for silence; `signal` is aborted when nothing was heard for too long. */
export class SilenceWatch implements Disposable {
  readonly #maxMs: number;
  readonly #clock: Clock;
  readonly #over = new AbortController();
  readonly #disposed = new AbortController();
  #heardAtMs: number;

  constructor(maxMs: number, clock: Clock) {
    this.#maxMs = maxMs;
    this.#clock = clock;
    this.#heardAtMs = clock.monotonic();
    // It ends by being disposed of.
    this.#watch().catch(() => undefined);
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Restarts the wait, as something was heard. */
  reset(): void {
    this.#heardAtMs = this.#clock.monotonic();
  }

  [Symbol.dispose](): void {
    this.#disposed.abort();
  }

  async #watch(): Promise<void> {
    for (;;) {
      const restMs = this.#heardAtMs + this.#maxMs - this.#clock.monotonic();
      if (restMs <= 0) break;
      await this.#clock.sleep(restMs, this.#disposed.signal);
    }
    this.#over.abort(new DOMException(`nothing heard for ${this.#maxMs} ms`, "TimeoutError"));
  }
}
