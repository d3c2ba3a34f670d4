import { setTimeout as pause } from "node:timers/promises";

/** A request that was sent at a time, by `performance.now`; one that failed took forever. */
interface Probe {
  readonly atMs: number;
  readonly tookMs: number;
}

const everyMs = 50;
/** The time for which requests must be fast, for a server to count as recovered. */
const calmMs = 3_000;

/** Sends a request every 50 ms, whether earlier ones were answered or not, and keeps their times. */
export class Prober implements AsyncDisposable {
  readonly #probes: Probe[] = [];
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;

  constructor(send: () => Promise<unknown>) {
    this.#running = this.#run(send);
  }

  /** Returns the times of the requests that were answered since a time, and the number of those that failed. */
  since(sinceMs: number): { readonly times: readonly number[]; readonly failed: number } {
    const probes = this.#probes.filter(({ atMs }) => atMs >= sinceMs);
    const times = probes.map(({ tookMs }) => tookMs).filter((ms) => Number.isFinite(ms));
    return { times, failed: probes.length - times.length };
  }

  /** Returns the time from `fromMs` until requests were fast for three seconds; undefined if they never were. */
  recoveredAfter(fromMs: number, untilMs: number, barMs: number): number | undefined {
    const probes = this.#probes.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs);
    const slow = [fromMs, ...probes.filter(({ tookMs }) => tookMs > barMs).map(({ atMs }) => atMs)];
    const calmFrom = slow.find((atMs, index) => (slow[index + 1] ?? untilMs) - atMs > calmMs);
    return calmFrom === undefined ? undefined : calmFrom - fromMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#running;
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
