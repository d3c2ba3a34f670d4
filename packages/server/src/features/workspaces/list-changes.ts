import { maxChangedIds } from "@slipway/api/workspaces/watch-routes";
import { Wake } from "@slipway/runtime";

import { maySeeWorkspacesOf } from "../../platform/auth/rights.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import type { Platform } from "../../platform/platform.ts";
import { allOf } from "../../platform/pubsub/pubsub.ts";
import { selectOwners } from "./queries.ts";

/** The minimum time between two reads of owners, for all watchers of a replica. */
const paceMs = 25;
/** The minimum time between two changes that a watcher is told of. */
const gatherMs = 100;
/** The number of workspaces between two reads above which all watchers are told of many. */
const maxHinted = 1_000;

/** Workspaces that have changed: up to a hundred, or many. */
export type ListChange = ReadonlySet<string> | "many";

type Needs = Pick<Platform, "db" | "pubsub" | "clock">;

/**
 * Tells watchers of lists which workspaces have changed. All watchers of a replica share one subscription, and one read
 * of whose the changed workspaces are.
 */
export class ListChanges {
  readonly #needs: Needs;
  readonly #watchers = new Set<ListWatcher>();
  #reading: AbortController | undefined;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  /**
   * Yields `many` first, for what was read before, then each change to the workspaces that the caller may see, at most
   * ten a second. Ends by throwing the signal's reason, or when the watcher leaves.
   */
  async *watch(caller: UserCaller, signal: AbortSignal): AsyncGenerator<ListChange, never> {
    const { clock } = this.#needs;
    // A user without an id: checks whether the caller may see any user's workspaces.
    const ownerId = maySeeWorkspacesOf(caller, "") ? undefined : caller.id;
    using watcher = this.#join(ownerId);
    for (;;) {
      const change = watcher.take();
      if (change === undefined) {
        await watcher.wake.waitUntil(Infinity, clock.monotonic(), clock, signal);
        continue;
      }
      yield change;
      await clock.sleep(gatherMs, signal);
    }
  }

  /** Adds a watcher of one owner's workspaces, or of all, until the result is disposed of. */
  #join(ownerId: string | undefined): ListWatcher & Disposable {
    const watcher = new ListWatcher(ownerId);
    this.#watchers.add(watcher);
    if (this.#reading === undefined) {
      this.#reading = new AbortController();
      void this.#readOn(this.#reading.signal);
    }
    return Object.assign(watcher, {
      [Symbol.dispose]: () => {
        this.#watchers.delete(watcher);
        if (this.#watchers.size > 0) return;
        this.#reading?.abort(new DOMException("no watchers left", "AbortError"));
        this.#reading = undefined;
      },
    });
  }

  /** Follows the hints until the signal aborts. */
  async #readOn(signal: AbortSignal): Promise<void> {
    const { pubsub, clock } = this.#needs;
    const wake = new Wake();
    let hinted = new Set<string>();
    const prefix = allOf("workspace").slice(0, -1);
    using subscriptions = new DisposableStack();
    const follow = (topic: string, idOf: (topic: string) => string): void => {
      subscriptions.use(
        pubsub.subscribe(topic, (hint) => {
          if (hinted.size <= maxHinted) hinted.add(idOf(hint));
          wake.wake();
        }),
      );
    };
    follow(allOf("workspace"), (topic) => topic.slice(prefix.length));
    // A new active version makes the workspaces of a template outdated.
    follow(allOf("template"), () => "*");
    try {
      for (;;) {
        await wake.waitUntil(Infinity, clock.monotonic(), clock, signal);
        const ids = hinted;
        hinted = new Set();
        await this.#tell(ids);
        await clock.sleep(paceMs, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #tell(ids: ReadonlySet<string>): Promise<void> {
    const watchers = [...this.#watchers];
    const owners = await this.#readOwners(ids, watchers);
    for (const watcher of watchers) {
      if (owners === "unknown") watcher.add("many");
      else if (watcher.ownerId === undefined) watcher.add(ids);
      else watcher.add(owners.get(watcher.ownerId) ?? new Set());
    }
  }

  /** Returns the workspaces by owner; none if no watcher needs to know. */
  async #readOwners(
    ids: ReadonlySet<string>,
    watchers: readonly ListWatcher[],
  ): Promise<ReadonlyMap<string, ReadonlySet<string>> | "unknown"> {
    if (ids.has("*") || ids.size > maxHinted) return "unknown";
    if (watchers.every(({ ownerId }) => ownerId === undefined)) return new Map();
    try {
      const rows = await selectOwners(this.#needs.db, [...ids]);
      return new Map(
        Map.groupBy(rows, ({ owner_id }) => owner_id)
          .entries()
          .map(([owner, own]) => [owner, new Set(own.map(({ id }) => id))]),
      );
    } catch {
      // The watchers' own reads tell why the database does not answer.
      return "unknown";
    }
  }
}

/** The changes that one watcher has not been told of yet. */
class ListWatcher {
  /** The user whose workspaces it watches; undefined for all. */
  readonly ownerId: string | undefined;
  readonly wake = new Wake();
  #changed: Set<string> | "many" = "many";

  constructor(ownerId: string | undefined) {
    this.ownerId = ownerId;
  }

  add(change: ListChange): void {
    if (change === "many") this.#changed = "many";
    if (change === "many" || this.#changed === "many") return this.wake.wake();
    for (const id of change) this.#changed.add(id);
    if (this.#changed.size > maxChangedIds) this.#changed = "many";
    if (change.size > 0) this.wake.wake();
  }

  /** Returns what has changed since the last call; undefined if nothing has. */
  take(): ListChange | undefined {
    const changed = this.#changed;
    if (changed !== "many" && changed.size === 0) return undefined;
    this.#changed = new Set();
    return changed;
  }
}
