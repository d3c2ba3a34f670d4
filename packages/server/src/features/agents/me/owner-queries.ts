import type { Queryable } from "../../../platform/db/database.ts";

/** Selects a workspace with the status of its owner. */
export function selectAgentPlace(db: Queryable, workspaceId: string) {
  return db
    .selectFrom("workspaces as workspace")
    .innerJoin("users as owner", "owner.id", "workspace.owner_id")
    .where("workspace.id", "=", workspaceId)
    .select(["workspace.name", "workspace.organization_id", "owner.status as owner_status"])
    .executeTakeFirst();
}

/**
 * Selects the status of an agent's owner; undefined if the agent is live no more, or its workspace has another owner by
 * now.
 */
export async function selectLiveOwnerStatus(
  db: Queryable,
  agentId: string,
  ownerId: string,
): Promise<"active" | "dormant" | "suspended" | undefined> {
  const row = await db
    .selectFrom("live_agents as agent")
    .innerJoin("users as owner", "owner.id", "agent.owner_id")
    .where("agent.id", "=", agentId)
    .where("owner.id", "=", ownerId)
    .select("owner.status")
    .executeTakeFirst();
  return row?.status;
}
