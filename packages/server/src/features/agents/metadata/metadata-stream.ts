import type { Clock } from "@slipway/runtime";

import type { Database } from "../../../platform/db/database.ts";
import { topics, type PubSub } from "../../../platform/pubsub/pubsub.ts";
import { SharedWatches } from "../../../platform/pubsub/shared-watches.ts";
import { readMetadata } from "./metadata-queries.ts";

/** The interval at which a quiet stream repeats all values. */
const repeatMs = 5_000;
/** The changes of this period make one event. */
const gatherMs = 1_000;

export interface MetadataWatchNeeds {
  readonly db: Database;
  readonly pubsub: PubSub;
  readonly clock: Clock;
}

/** The metadata of an agent as JSON, the same for every permitted reader. */
type MetadataText = string;

/** The agents whose metadata is watched on this replica, each read and encoded once for all watchers. */
export class MetadataWatches {
  readonly #needs: MetadataWatchNeeds;
  readonly #watches: SharedWatches<MetadataText>;

  constructor(needs: MetadataWatchNeeds) {
    this.#needs = needs;
    this.#watches = new SharedWatches(needs);
  }

  /** Yields all metadata of an agent at once, then after changes, at most each second (docs/protocol/rest.md §6.3). */
  watch(agentId: string, signal: AbortSignal): AsyncGenerator<MetadataText, never, undefined> {
    const { db, clock } = this.#needs;
    const watched = {
      topics: [topics.agentMetadata(agentId)],
      maxWaitMs: repeatMs,
      gatherMs,
      read: async () => JSON.stringify(await readMetadata(db, agentId, clock.now())),
    };
    return this.#watches.watch(agentId, watched, signal);
  }
}
