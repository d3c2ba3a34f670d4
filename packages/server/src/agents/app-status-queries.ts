import { sql } from "kysely";

import type { Queryable } from "../db/database.ts";

interface NewAppStatus {
  readonly agentId: string;
  readonly slug: string;
  readonly state: string;
  readonly message: string;
  readonly uri: string;
}

/** Keeps what an app says of itself; false when the agent has no such app. */
export async function insertAppStatus(db: Queryable, report: NewAppStatus): Promise<boolean> {
  const { numAffectedRows } = await sql`
    insert into workspace_app_statuses (workspace_app_id, state, message, uri)
      select id, ${report.state}::text, ${report.message}::text, ${report.uri}::text
        from workspace_apps
        where workspace_agent_id = ${report.agentId} and slug = ${report.slug}`.execute(db);
  return numAffectedRows === 1n;
}

/** What the apps of agents said of themselves, the newest first; of each app at most `limit`. */
export function selectAppStatuses(db: Queryable, agentIds: readonly string[], limit: number) {
  return db
    .selectFrom("workspace_apps as app")
    .innerJoin("workspace_agents as agent", "agent.id", "app.workspace_agent_id")
    .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
    .innerJoinLateral(
      (eb) =>
        eb
          .selectFrom("workspace_app_statuses")
          .whereRef("workspace_app_id", "=", "app.id")
          .orderBy("created_at", "desc")
          .limit(limit)
          .selectAll()
          .as("status"),
      (join) => join.onTrue(),
    )
    .where("app.workspace_agent_id", "in", agentIds)
    .orderBy("status.created_at", "desc")
    .select([
      "status.id",
      "status.created_at",
      "build.workspace_id",
      "app.workspace_agent_id",
      "status.workspace_app_id",
      "status.state",
      "status.message",
      "status.uri",
    ])
    .execute();
}

export type AppStatusRow = Awaited<ReturnType<typeof selectAppStatuses>>[number];
