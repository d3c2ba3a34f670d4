import type { AgentMetadata } from "@slipway/api";
import type { Clock } from "@slipway/runtime";

import type { Database } from "../db/database.ts";
import { topics, type PubSub } from "../pubsub/pubsub.ts";
import { watch } from "../pubsub/watch.ts";
import { readMetadata } from "./metadata.ts";

/** A quiet stream says all values again after this long. */
const repeatMs = 5_000;
/** Changes of this time make one event. */
const gatherMs = 1_000;

export interface MetadataWatchNeeds {
  readonly db: Database;
  readonly pubsub: PubSub;
  readonly clock: Clock;
}

/** All metadata of an agent at once, then after changes, at most each second (`rest.md` section 6.3). */
export async function* watchMetadata(
  { db, pubsub, clock }: MetadataWatchNeeds,
  agentId: string,
  signal: AbortSignal,
): AsyncGenerator<AgentMetadata[], void, undefined> {
  const looks = watch({
    pubsub,
    topics: [topics.agentMetadata(agentId)],
    maxWaitMs: repeatMs,
    clock,
    signal,
  });
  for await (const _ of looks) {
    yield await readMetadata(db, agentId, clock.now());
    await clock.sleep(gatherMs, signal);
  }
}
