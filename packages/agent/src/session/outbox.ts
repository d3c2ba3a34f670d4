import { type Clock, Waiters, Wake } from "@slipway/runtime";

/** The maximum wait for an item; only bounds timers. */
const maxWaitMs = 60_000;

/**
 * Items for the server, in order. They are sent one at a time and stay until the server has them, over any number of
 * connections. A full outbox refuses further ones.
 */
export class Outbox<T> {
  readonly #items: T[] = [];
  readonly #capacity: number;
  readonly #clock: Clock;
  readonly #changed = new Wake();
  readonly #emptied = new Waiters();
  #isDelivering = false;

  constructor(capacity: number, clock: Clock) {
    this.#capacity = capacity;
    this.#clock = clock;
  }

  put(item: T): boolean {
    if (this.#items.length >= this.#capacity) return false;
    this.#items.push(item);
    this.#changed.wake();
    return true;
  }

  /** Drops all waiting items, except the one that is being delivered. */
  clear(): void {
    this.#items.length = this.#isDelivering ? 1 : 0;
  }

  /** Delivers over one connection until the signal is aborted, or rejects with the error of `deliver`. One at a time. */
  async run(
    deliver: (item: T, signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<never> {
    for (;;) {
      const [item] = this.#items;
      if (item === undefined) {
        this.#emptied.wakeAll();
        await this.#changed.wait(maxWaitMs, this.#clock, signal);
      } else {
        await this.#deliver(item, deliver, signal);
      }
    }
  }

  async #deliver(
    item: T,
    deliver: (item: T, signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    this.#isDelivering = true;
    try {
      await deliver(item, signal);
      this.#items.shift();
    } finally {
      this.#isDelivering = false;
    }
  }

  /** Resolves once everything is delivered, or the signal is aborted. */
  async drained(signal: AbortSignal): Promise<void> {
    if (this.#items.length > 0) await this.#emptied.next(signal);
  }
}
