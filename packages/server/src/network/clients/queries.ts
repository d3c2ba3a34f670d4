import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import { buildStatus, newestBuild } from "../../platform/jobs/build-sql.ts";
import type { ReachableWorkspace } from "./told-workspaces.ts";

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

/** Selects the workspaces of an owner, with the agents of their newest builds. */
export async function selectReachableWorkspaces(
  db: Queryable,
  ownerId: string,
): Promise<readonly ReachableWorkspace[]> {
  const { rows } = await sql<ReachableWorkspace>`
    select workspace.id, workspace.name, ${buildStatus("build", "job")} as status,
        coalesce(
          (select json_agg(json_build_object('id', agent.id, 'name', agent.name) order by agent.name)
            from workspace_agents agent
            where agent.workspace_build_id = build.id and not agent.deleted), '[]') as agents
      from workspaces workspace
      cross join lateral ${newestBuild(sql.ref("workspace.id"))} as build
      join jobs job on job.id = build.job_id
      where workspace.owner_id = ${ownerId} and not workspace.deleted
      order by workspace.name`.execute(db);
  return rows;
}
