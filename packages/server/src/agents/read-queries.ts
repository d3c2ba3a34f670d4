import { sql } from "kysely";

import type { Queryable } from "../db/database.ts";

function agents(db: Queryable) {
  return db
    .selectFrom("workspace_agents as agent")
    .leftJoin(
      "workspace_agent_log_positions as position",
      "position.workspace_agent_id",
      "agent.id",
    )
    .where("agent.deleted", "=", false)
    .select([
      "agent.id",
      "agent.parent_id",
      "agent.resource_id",
      "agent.name",
      "agent.architecture",
      "agent.operating_system",
      "agent.environment_variables",
      "agent.directory",
      "agent.expanded_directory",
      "agent.troubleshooting_url",
      "agent.connection_timeout_seconds",
      "agent.display_apps",
      "agent.version",
      "agent.api_version",
      "agent.subsystems",
      "agent.lifecycle_state",
      "agent.started_at",
      "agent.ready_at",
      "agent.first_connected_at",
      "agent.last_connected_at",
      "agent.disconnected_at",
      "agent.created_at",
      "agent.updated_at",
      "position.logs_length",
      "position.overflowed",
    ]);
}

export function selectAgent(db: Queryable, id: string) {
  return agents(db).where("agent.id", "=", id).executeTakeFirst();
}

export function selectAgentsOfResources(db: Queryable, resourceIds: readonly string[]) {
  return agents(db)
    .where("agent.resource_id", "in", resourceIds)
    .orderBy("agent.created_at")
    .orderBy("agent.name")
    .execute();
}

export type AgentRow = NonNullable<Awaited<ReturnType<typeof selectAgent>>>;

/** The workspace an agent belongs to, as far as it decides who may see the agent. */
export function selectAgentPlace(db: Queryable, agentId: string) {
  return db
    .selectFrom("workspace_agents as agent")
    .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
    .innerJoin("workspaces as workspace", "workspace.id", "build.workspace_id")
    .innerJoin("users as owner", "owner.id", "workspace.owner_id")
    .where("agent.id", "=", agentId)
    .where("agent.deleted", "=", false)
    .where("workspace.deleted", "=", false)
    .select([
      "agent.name as agent_name",
      "build.id as build_id",
      "workspace.id as workspace_id",
      "workspace.name as workspace_name",
      "workspace.owner_id",
      "owner.username as owner_name",
    ])
    .executeTakeFirst();
}

export function selectApps(db: Queryable, agentIds: readonly string[]) {
  return db
    .selectFrom("workspace_apps")
    .where("workspace_agent_id", "in", agentIds)
    .selectAll()
    .orderBy("position")
    .orderBy("display_name")
    .orderBy("slug")
    .execute();
}

export type AppRow = Awaited<ReturnType<typeof selectApps>>[number];

/** Scripts, each with the result of its newest run. */
export function selectScripts(db: Queryable, agentIds: readonly string[]) {
  return db
    .selectFrom("workspace_agent_scripts as script")
    .leftJoinLateral(
      (eb) =>
        eb
          .selectFrom("workspace_agent_script_timings")
          .whereRef("script_id", "=", "script.id")
          .orderBy("started_at", "desc")
          .limit(1)
          .select(["exit_code", "status"])
          .as("timing"),
      (join) => join.onTrue(),
    )
    .where("script.workspace_agent_id", "in", agentIds)
    .selectAll("script")
    .select(["timing.exit_code", "timing.status"])
    .orderBy("script.position")
    .execute();
}

export type ScriptRow = Awaited<ReturnType<typeof selectScripts>>[number];

export function selectLogSources(db: Queryable, agentIds: readonly string[]) {
  return db
    .selectFrom("workspace_agent_log_sources")
    .where("workspace_agent_id", "in", agentIds)
    .selectAll()
    .orderBy("created_at")
    .orderBy("display_name")
    .execute();
}

export type LogSourceRow = Awaited<ReturnType<typeof selectLogSources>>[number];

/**
 * Whether the agent still counts: no later build of its workspace, or only a stop that has not ended, during which its
 * stop scripts run (`rest.md` section 1.4).
 */
export async function isLive(db: Queryable, agentId: string): Promise<boolean> {
  return (await selectLive(db, [agentId])).has(agentId);
}

/** The same for many: those that still count. */
export async function selectLive(
  db: Queryable,
  agentIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom("workspace_agents as agent")
    .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
    .innerJoin("workspaces as workspace", "workspace.id", "build.workspace_id")
    .where("agent.id", "=", sql<string>`any(${sql.val([...agentIds])}::uuid[])`)
    .where("agent.deleted", "=", false)
    .where("workspace.deleted", "=", false)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("workspace_builds as later")
            .innerJoin("jobs as job", "job.id", "later.job_id")
            .whereRef("later.workspace_id", "=", "build.workspace_id")
            .whereRef("later.build_number", ">", "build.build_number")
            .where((eb) =>
              eb.or([
                eb("later.transition", "<>", "stop"),
                eb("job.completed_at", "is not", null),
                eb("later.build_number", "<>", sql<number>`build.build_number + 1`),
              ]),
            )
            .select("later.id"),
        ),
      ),
    )
    .select("agent.id")
    .execute();
  return new Set(rows.map((row) => row.id));
}
