import type { AppHealth as AppHealthName } from "@slipway/api";
import { RpcError } from "@slipway/rpc";
import {
  AppHealth,
  type BatchUpdateAppHealthRequest,
  type BatchUpdateAppHealthResponseSchema,
  type MessageInitShape,
} from "@slipway/wire";

import type { Database } from "../../../platform/db/database.ts";
import { type PubSub, topics } from "../../../platform/pubsub/pubsub.ts";
import { selectAppHealthchecks, updateAppHealth } from "./app-queries.ts";
import { enumField, uuidField } from "./fields.ts";
import { requireBudget } from "./require-budget.ts";
import { requireLive } from "./require-live.ts";
import type { RpcCaller } from "./rpc-caller.ts";

const healths: ReadonlyMap<number, AppHealthName> = new Map([
  [AppHealth.DISABLED, "disabled"],
  [AppHealth.INITIALIZING, "initializing"],
  [AppHealth.HEALTHY, "healthy"],
  [AppHealth.UNHEALTHY, "unhealthy"],
]);

interface Needs {
  readonly db: Database;
  readonly pubsub: PubSub;
}

/** Stores the health of the agent's apps; with one invalid entry, it stores nothing (docs/protocol/rpc.md §7.5). */
export async function updateAppHealths(
  { db, pubsub }: Needs,
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
