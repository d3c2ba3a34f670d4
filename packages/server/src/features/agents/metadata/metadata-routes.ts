import type { AgentMetadata } from "@slipway/api/agents/metadata-routes";
import { watchAgentMetadata, watchAgentMetadataSocket } from "@slipway/api/agents/metadata-routes";
import { zeroTimestamp } from "@slipway/api/contract/scalars";

import type { Queryable } from "../../../platform/db/database.ts";
import { timestampMs } from "../../../platform/db/timestamp.ts";
import { requireUuid } from "../../../platform/fields/uuid.ts";
import type { UserCaller } from "../../../platform/http/caller.ts";
import { keepAlive, refuseMessages } from "../../../platform/http/peer-socket.ts";
import type { RouteRequest } from "../../../platform/http/route-request.ts";
import type { Routes } from "../../../platform/http/routes.ts";
import type { Platform } from "../../../platform/platform.ts";
import { topics } from "../../../platform/pubsub/pubsub.ts";
import { SharedWatches } from "../../../platform/pubsub/shared-watches.ts";
import { requireAgentPlace } from "../service.ts";

type MetadataNeeds = Pick<Platform, "db" | "pubsub" | "clock">;

/** Adds the routes by which users watch the metadata of agents. */
export function addMetadataRoutes(routes: Routes, needs: MetadataNeeds): void {
  const { db } = needs;
  const watches = new MetadataWatches(needs);
  const prepare = async (
    { params }: Pick<RouteRequest<typeof watchAgentMetadata>, "params">,
    user: UserCaller,
  ): Promise<string> => {
    const agentId = requireUuid(params.agent);
    await requireAgentPlace(db, user, agentId);
    return agentId;
  };

  routes.userEvents(watchAgentMetadata, {
    prepare,
    serve: async (stream, agentId) => {
      for await (const text of watches.watch(agentId, stream.signal)) await stream.dataText(text);
    },
    problem: "Failed to get metadata.",
  });

  routes.userSocket(watchAgentMetadataSocket, {
    prepare,
    serve: async (socket, agentId) => {
      keepAlive(socket);
      refuseMessages(socket, 1002, "Clients cannot send messages for one-way WebSockets");
      for await (const text of watches.watch(agentId, socket.signal)) {
        await socket.sendText(`{"type":"data","data":${text}}\n`);
      }
    },
  });
}

/** The interval at which a quiet stream repeats all values. */
const repeatMs = 5_000;
/** The changes of this period make one event. */
const gatherMs = 1_000;

/** The metadata of an agent as JSON, the same for every permitted reader. */
type MetadataText = string;

/** The agents whose metadata is watched on this replica. Each is read and encoded once for all its watchers. */
class MetadataWatches {
  readonly #needs: MetadataNeeds;
  readonly #watches: SharedWatches<MetadataText>;

  constructor(needs: MetadataNeeds) {
    this.#needs = needs;
    this.#watches = new SharedWatches(needs);
  }

  /** Yields all metadata of an agent first, then after changes, at most once a second (docs/protocol/rest.md §6.3). */
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

/** The age of a value that was never set, in seconds: the longest duration of the original. */
const ageOfNever = 9_223_372_036;

/** Reads all metadata of an agent at `now` (docs/protocol/rest.md §6.3). */
export async function readMetadata(
  db: Queryable,
  agentId: string,
  now: number,
): Promise<AgentMetadata[]> {
  const rows = await selectMetadata(db, agentId);
  return rows.map((row) => ({
    result: {
      collected_at: row.collected_at ?? zeroTimestamp,
      age:
        row.collected_at === null
          ? ageOfNever
          : Math.max(0, Math.floor((now - timestampMs(row.collected_at)) / 1000)),
      value: row.value,
      error: row.error,
    },
    description: {
      display_name: row.display_name,
      key: row.key,
      script: row.script,
      interval: row.interval_seconds,
      timeout: row.timeout_seconds,
    },
  }));
}

function selectMetadata(db: Queryable, agentId: string) {
  return db
    .selectFrom("workspace_agent_metadata")
    .where("workspace_agent_id", "=", agentId)
    .orderBy("position")
    .orderBy("key")
    .selectAll()
    .execute();
}
