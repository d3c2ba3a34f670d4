import type { AppHealth } from "@slipway/api";
import { sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import { isLiveAgent } from "../live-queries.ts";

/** Selects the apps of a live agent. */
export function selectAppHealthchecks(db: Queryable, agentId: string) {
  return db
    .selectFrom("workspace_apps")
    .where("workspace_agent_id", "=", agentId)
    .where(isLiveAgent(agentId))
    .select(["id", "healthcheck_url"])
    .execute();
}

interface AppHealthUpdate {
  readonly id: string;
  readonly health: AppHealth;
}

/** Writes the healths that differ from the stored ones; resolves to their number. */
export async function updateAppHealth(
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
