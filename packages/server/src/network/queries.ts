import { sql } from "kysely";

import type { Queryable } from "../platform/db/database.ts";

/** Selects the owners of agents' workspaces; agents that are deleted, or whose workspaces are, have none. */
export async function selectAgentOwners(
  db: Queryable,
  agentIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await db
    .selectFrom("workspace_agents as agent")
    .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
    .innerJoin("workspaces as workspace", "workspace.id", "build.workspace_id")
    .where(sql<boolean>`agent.id = any(${sql.val([...agentIds])}::uuid[])`)
    .where("agent.deleted", "=", sql.lit(false))
    .where("workspace.deleted", "=", sql.lit(false))
    .select(["agent.id", "workspace.owner_id"])
    .execute();
  return new Map(rows.map((row) => [row.id, row.owner_id]));
}
