import { setTimeout as pause } from "node:timers/promises";

import { quantile } from "../report.ts";

/** A request that was sent at a time, by `performance.now`; one that failed took forever. */
interface Probe {
  readonly atMs: number;
  readonly tookMs: number;
}

const everyMs = 50;
/** The requests whose 99th percentile must be fast, for a deployment to count as recovered: those of six seconds. */
const calmProbes = 120;

/** Sends a request every 50 ms, whether earlier ones were answered or not, and keeps their times. */
export class Prober implements AsyncDisposable {
  readonly #probes: Probe[] = [];
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;

  constructor(send: () => Promise<unknown>) {
    this.#running = this.#run(send);
  }

  /** Returns the times of the requests that were sent in a period; those of failed ones are infinite. */
  between(fromMs: number, untilMs: number): readonly number[] {
    return this.#sent(fromMs, untilMs).map(({ tookMs }) => tookMs);
  }

  /**
   * Returns the time from `fromMs` until the 99th percentile of the next requests was below the bar; undefined if it
   * never was.
   */
  recoveredAfter(fromMs: number, untilMs: number, barMs: number): number | undefined {
    const probes = this.#sent(fromMs, untilMs);
    const calm = probes.findIndex((_, index) => {
      const next = probes.slice(index, index + calmProbes).map(({ tookMs }) => tookMs);
      return next.length === calmProbes && quantile(next, 0.99) <= barMs;
    });
    const found = probes[calm];
    return found && found.atMs - fromMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  /** Returns the probes of a period in the order in which they were sent; they end in another. */
  #sent(fromMs: number, untilMs: number): readonly Probe[] {
    return this.#probes
      .filter(({ atMs }) => atMs >= fromMs && atMs < untilMs)
      .toSorted((one, other) => one.atMs - other.atMs);
  }

  async #run(send: () => Promise<unknown>): Promise<void> {
    while (!this.#ending.signal.aborted) {
      void this.#probe(send);
      await pause(everyMs);
    }
  }

  async #probe(send: () => Promise<unknown>): Promise<void> {
    const atMs = performance.now();
    const failed = await send().then(
      () => false,
      () => true,
    );
    this.#probes.push({
      atMs,
      tookMs: failed ? Number.POSITIVE_INFINITY : performance.now() - atMs,
    });
  }
}
