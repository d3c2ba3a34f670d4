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
