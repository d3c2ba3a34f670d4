import type { Clock } from "@slipway/runtime";

import { isOutage, sqlStateOf } from "./errors.ts";

export interface GatheredWritesOptions<Item, Result> {
  /** Returns the key of the row that an item changes: no two items of a statement have the same. */
  readonly keyOf: (item: Item) => string;
  /** Writes all items in one statement; resolves to the results by key. */
  readonly writeAll: (items: readonly Item[]) => Promise<ReadonlyMap<string, Result>>;
  readonly clock: Clock;
}

interface Writer<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** The least time between the starts of two statements: of a hundred agents a second, four share one. */
export const paceMs = 40;
/** The most items in one statement. */
export const maxPerWrite = 500;
/** The most statements at once: one may wait for a row that a transaction has locked. */
const maxRunning = 4;

const { signal: never } = new AbortController();

/**
 * Batches writes of many callers. A single one runs at once; those that follow within the pace share the next statement.
 * So a hundred agents that report in the same second cost a fraction of the statements and commits, and one costs no
 * delay. The number that wait is bounded by the calls that the callers may have in progress.
 */
export class GatheredWrites<Item, Result> {
  readonly #options: GatheredWritesOptions<Item, Result>;
  readonly #running = new Set<Promise<void>>();
  #waiting: Writer<Item, Result>[] = [];
  #isGathering = false;
  #beganAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: GatheredWritesOptions<Item, Result>) {
    this.#options = options;
  }

  /** Writes an item; resolves to its result, undefined where its row is not there. Rejects when it is not written. */
  write(item: Item): Promise<Result | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#isGathering) void this.#gather();
    });
  }

  async #gather(): Promise<void> {
    const { clock } = this.#options;
    this.#isGathering = true;
    while (this.#waiting.length > 0) {
      const restMs = this.#beganAtMs + paceMs - clock.monotonic();
      if (restMs > 0) await clock.sleep(restMs, never);
      if (this.#running.size >= maxRunning) await Promise.race(this.#running);
      this.#beganAtMs = clock.monotonic();
      const running = this.#write(this.#take()).finally(() => this.#running.delete(running));
      this.#running.add(running);
    }
    this.#isGathering = false;
  }

  /**
   * Takes those who wait, one of each key, those first who came first. Returns them in the order of their keys: two
   * statements lock the rows that both change in the same order then. In any other they may wait for each other, for the
   * whole second after which PostgreSQL looks for such deadlocks.
   */
  #take(): readonly Writer<Item, Result>[] {
    const taken = new Map<string, Writer<Item, Result>>();
    const left: Writer<Item, Result>[] = [];
    for (const writer of this.#waiting) {
      const key = this.#options.keyOf(writer.item);
      if (taken.size < maxPerWrite && !taken.has(key)) taken.set(key, writer);
      else left.push(writer);
    }
    this.#waiting = left;
    return [...taken]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([, writer]) => writer);
  }

  /** Never rejects: each writer gets its result or the error. */
  async #write(writers: readonly Writer<Item, Result>[]): Promise<void> {
    const { keyOf, writeAll } = this.#options;
    try {
      const results = await writeAll(writers.map(({ item }) => item));
      for (const { item, resolve } of writers) resolve(results.get(keyOf(item)));
    } catch (error) {
      // One of them was refused, or locked in another order than a transaction's: each on its own then.
      const isShared = writers.length > 1 && sqlStateOf(error) !== undefined && !isOutage(error);
      if (isShared) await Promise.all(writers.map((writer) => this.#write([writer])));
      else for (const { reject } of writers) reject(error);
    }
  }
}
