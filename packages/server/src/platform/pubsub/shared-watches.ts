import { type Clock, spread, Wake } from "@slipway/runtime";

import type { PubSub } from "./pubsub.ts";

/** A watched thing: the topics that hint at its changes, and the function that reads it. */
export interface WatchTarget<T> {
  readonly topics: readonly string[];
  /** The maximum time between two reads without a hint, in milliseconds; shortened at random by up to a third. */
  readonly maxWaitMs: number;
  /** The time within which changes share one read, in milliseconds. */
  readonly gatherMs: number;
  readonly read: () => Promise<T>;
}

export interface SharedWatchNeeds {
  readonly pubsub: PubSub;
  readonly clock: Clock;
}

/**
 * Watches of this replica that share their reads: all watchers of the same thing get the result of one read per change.
 * A busy watcher gets the newest result next, and none of those in between.
 */
export class SharedWatches<T> {
  readonly #needs: SharedWatchNeeds;
  readonly #open = new Map<string, SharedWatch<T>>();

  constructor(needs: SharedWatchNeeds) {
    this.#needs = needs;
  }

  /**
   * Yields the result of the watcher's own read first, then that of each shared read that begins later. Ends by
   * throwing the signal's reason or the failure of a read, or when the watcher leaves. `watched` must be the same for
   * all watchers of a key.
   */
  async *watch(
    key: string,
    watched: WatchTarget<T>,
    signal: AbortSignal,
  ): AsyncGenerator<T, never, undefined> {
    // Subscribed before the read, so that no change after it is missed.
    const shared = this.#open.get(key) ?? this.#begin(key, watched);
    using watcher = shared.join();
    // Also before the read: a shared read that begins meanwhile may find changes that this one is too early for.
    let round = shared.begun;
    yield await watched.read();
    for (;;) {
      const found = await watcher.next(round, signal);
      round = found.round;
      yield found.value;
    }
  }

  #begin(key: string, watched: WatchTarget<T>): SharedWatch<T> {
    const shared = new SharedWatch(this.#needs, watched, () => {
      if (this.#open.get(key) === shared) this.#open.delete(key);
    });
    this.#open.set(key, shared);
    return shared;
  }
}

interface ReadResult<T> {
  readonly round: number;
  readonly value: T;
}

/** The reads of one thing, for as long as it has watchers. */
class SharedWatch<T> {
  readonly #needs: SharedWatchNeeds;
  readonly #watched: WatchTarget<T>;
  readonly #onEnd: () => void;
  readonly #watchers = new Set<Wake>();
  readonly #ending = new AbortController();
  #begun = 0;
  #found: ReadResult<T> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(needs: SharedWatchNeeds, watched: WatchTarget<T>, onEnd: () => void) {
    this.#needs = needs;
    this.#watched = watched;
    this.#onEnd = onEnd;
    void this.#readOn();
  }

  /** The number of reads that have begun. */
  get begun(): number {
    return this.#begun;
  }

  /** Adds a watcher until the result is disposed of; the last one to leave ends the reads. */
  join(): SharedWatcher<T> & Disposable {
    const wake = new Wake();
    this.#watchers.add(wake);
    return {
      next: (after, signal) => this.#next(wake, after, signal),
      [Symbol.dispose]: () => {
        this.#watchers.delete(wake);
        if (this.#watchers.size === 0) this.#end();
      },
    };
  }

  async #next(wake: Wake, after: number, signal: AbortSignal): Promise<ReadResult<T>> {
    const { clock } = this.#needs;
    for (;;) {
      signal.throwIfAborted();
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#found !== undefined && this.#found.round > after) return this.#found;
      await wake.wait(this.#watched.maxWaitMs, clock, signal);
    }
  }

  async #readOn(): Promise<void> {
    const { pubsub, clock } = this.#needs;
    const { topics, maxWaitMs, gatherMs, read } = this.#watched;
    const { signal } = this.#ending;
    const hint = new Wake();
    using subscriptions = new DisposableStack();
    for (const topic of topics) subscriptions.use(pubsub.subscribe(topic, () => hint.wake()));
    try {
      for (;;) {
        await clock.sleep(gatherMs, signal);
        await hint.wait(spread(maxWaitMs), clock, signal);
        this.#begun += 1;
        const round = this.#begun;
        this.#found = { round, value: await read() };
        for (const watcher of this.#watchers) watcher.wake();
      }
    } catch (error) {
      if (signal.aborted) return;
      // Watchers that join from now on start over.
      this.#failure = { error };
      this.#end();
      for (const watcher of this.#watchers) watcher.wake();
    }
  }

  #end(): void {
    this.#ending.abort(new DOMException("no watchers left", "AbortError"));
    this.#onEnd();
  }
}

interface SharedWatcher<T> {
  /** Resolves to the result of the newest read, once one of a later round than `after` has ended. */
  next(after: number, signal: AbortSignal): Promise<ReadResult<T>>;
}
