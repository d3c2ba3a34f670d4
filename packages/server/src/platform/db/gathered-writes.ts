import type { Clock } from "@slipway/runtime";

import { isOutage, sqlStateOf } from "./errors.ts";

export interface GatheredWritesOptions<Item, Result> {
  /** Returns the key of the row that an item changes: a statement has at most one item of each key. */
  readonly keyOf: (item: Item) => string;
  /** Writes all items in one statement; resolves to the results by key. */
  readonly writeAll: (items: readonly Item[]) => Promise<ReadonlyMap<string, Result>>;
  readonly clock: Clock;
  /** The minimum time between the starts of two statements (default: 40 ms). */
  readonly paceMs?: number;
}

interface Writer<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** The default pace: of a hundred agents a second, four share a statement. */
export const paceMs = 40;
/** The maximum number of items in one statement. */
export const maxPerWrite = 500;
/** The maximum number of concurrent statements: one may wait for a row that a transaction has locked. */
const maxRunning = 4;

const { signal: never } = new AbortController();

/**
 * Batches writes of many callers. A single one runs immediately; those that follow within the pace share the next
 * statement. A hundred agents that report in the same second thus cost a fraction of the statements and commits, and a
 * single agent is not delayed. The calls that callers may have in progress bound the number that wait.
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

  /** Writes an item; resolves to its result, undefined if its row does not exist. Rejects if it is not written. */
  write(item: Item): Promise<Result | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#isGathering) void this.#gather();
    });
  }

  async #gather(): Promise<void> {
    const { clock, paceMs: pace = paceMs } = this.#options;
    this.#isGathering = true;
    while (this.#waiting.length > 0) {
      const restMs = this.#beganAtMs + pace - clock.monotonic();
      if (restMs > 0) await clock.sleep(restMs, never);
      if (this.#running.size >= maxRunning) await Promise.race(this.#running);
      this.#beganAtMs = clock.monotonic();
      const running = this.#write(this.#take()).finally(() => this.#running.delete(running));
      this.#running.add(running);
    }
    this.#isGathering = false;
  }

  /**
   * Takes the waiting writers, oldest first, one of each key. Returns them in the order of their keys, so that
   * statements lock the rows that they share in the same order. Otherwise they may deadlock, which PostgreSQL detects
   * only after a second.
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

  /** Writes the items in one statement. Never rejects: each writer gets its result or the error. */
  async #write(writers: readonly Writer<Item, Result>[]): Promise<void> {
    const { keyOf, writeAll } = this.#options;
    try {
      const results = await writeAll(writers.map(({ item }) => item));
      for (const { item, resolve } of writers) resolve(results.get(keyOf(item)));
    } catch (error) {
      // One item was refused, or a transaction locked its rows in another order: each item gets a separate statement.
      const isShared = writers.length > 1 && sqlStateOf(error) !== undefined && !isOutage(error);
      if (isShared) await Promise.all(writers.map((writer) => this.#write([writer])));
      else for (const { reject } of writers) reject(error);
    }
  }
}
