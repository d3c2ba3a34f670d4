import type { AppHealth as AppHealthName } from "@slipway/api/agents/app";
import { RpcError } from "@slipway/rpc";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import { AppHealth } from "@slipway/wire/protobuf/gen/agent_pb";
import type {
  BatchUpdateAppHealthRequest,
  BatchUpdateAppHealthResponseSchema,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import type { Platform } from "../../../platform/platform.ts";
import { topics } from "../../../platform/pubsub/pubsub.ts";
import { enumField, uuidField } from "../calls/fields.ts";
import { requireBudget, requireLive, type RpcCaller } from "../calls/rpc-caller.ts";
import { isLiveAgent } from "../live-queries.ts";

const healths: ReadonlyMap<number, AppHealthName> = new Map([
  [AppHealth.DISABLED, "disabled"],
  [AppHealth.INITIALIZING, "initializing"],
  [AppHealth.HEALTHY, "healthy"],
  [AppHealth.UNHEALTHY, "unhealthy"],
]);

/** Stores the health of the agent's apps; stores nothing if one entry is invalid (docs/protocol/rpc.md §7.5). */
export async function updateAppHealths(
  { db, pubsub }: Pick<Platform, "db" | "pubsub">,
  { agent, spend }: Pick<RpcCaller, "agent" | "spend">,
  { updates }: BatchUpdateAppHealthRequest,
): Promise<MessageInitShape<typeof BatchUpdateAppHealthResponseSchema>> {
  if (updates.length === 0) return {};
  requireBudget({ spend }, "updates");
  const urls = new Map(
    (await selectAppHealthchecks(db, agent.agentId)).map((app) => [app.id, app.healthcheck_url]),
  );
  if (urls.size === 0) await requireLive(db, agent.agentId);
  const newest = new Map<string, AppHealthName>();
  for (const update of updates) {
    const id = uuidField(update.id, "id");
    const url = urls.get(id);
    if (url === undefined) throw new RpcError(`agent has no app ${id}`);
    if (url === "") throw new RpcError(`app ${id} has no health check`);
    newest.set(id, enumField(healths, update.health, `health of app ${id}`));
  }
  const changed = await updateAppHealth(
    db,
    [...newest].map(([id, health]) => ({ id, health })),
  );
  if (changed > 0) pubsub.publish(topics.workspace(agent.workspaceId));
  return {};
}

/** Selects the apps of a live agent. */
function selectAppHealthchecks(db: Queryable, agentId: string) {
  return db
    .selectFrom("workspace_apps")
    .where("workspace_agent_id", "=", agentId)
    .where(isLiveAgent(agentId))
    .select(["id", "healthcheck_url"])
    .execute();
}

interface AppHealthUpdate {
  readonly id: string;
  readonly health: AppHealthName;
}

/** Stores the health of apps where it has changed; resolves to their number. */
async function updateAppHealth(
  db: Queryable,
  updates: readonly AppHealthUpdate[],
): Promise<number> {
  const { numAffectedRows } = await sql`
    update workspace_apps a set health = new.health
      from unnest(
        ${updates.map(({ id }) => id)}::uuid[], ${updates.map(({ health }) => health)}::text[]
      ) as new (id, health)
      where a.id = new.id and a.health <> new.health`.execute(db);
  return Number(numAffectedRows ?? 0n);
}
