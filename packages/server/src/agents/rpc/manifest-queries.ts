import type { Queryable } from "../../db/database.ts";

/** The agent with the name of its workspace, and of the owner whom its build is for: until a claim is done, the one before. */
export function selectManifestAgent(db: Queryable, agentId: string) {
  return db
    .selectFrom("workspace_agents as agent")
    .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
    .innerJoin("workspaces as workspace", "workspace.id", "build.workspace_id")
    .innerJoin("users as owner", "owner.id", "build.owner_id")
    .where("agent.id", "=", agentId)
    .where("agent.deleted", "=", false)
    .select([
      "agent.id",
      "agent.parent_id",
      "agent.name",
      "agent.environment_variables",
      "agent.directory",
      "agent.motd_file",
      "workspace.id as workspace_id",
      "workspace.name as workspace_name",
      "owner.username as owner_name",
    ])
    .executeTakeFirst();
}

export type ManifestAgentRow = NonNullable<Awaited<ReturnType<typeof selectManifestAgent>>>;

export function selectManifestScripts(db: Queryable, agentId: string) {
  return db
    .selectFrom("workspace_agent_scripts")
    .where("workspace_agent_id", "=", agentId)
    .orderBy("position")
    .select([
      "id",
      "log_source_id",
      "log_path",
      "script",
      "cron",
      "run_on_start",
      "run_on_stop",
      "start_blocks_login",
      "timeout_seconds",
      "display_name",
    ])
    .execute();
}

export type ManifestScriptRow = Awaited<ReturnType<typeof selectManifestScripts>>[number];

export function selectManifestApps(db: Queryable, agentId: string) {
  return db
    .selectFrom("workspace_apps")
    .where("workspace_agent_id", "=", agentId)
    .orderBy("slug")
    .select([
      "id",
      "url",
      "external",
      "slug",
      "display_name",
      "command",
      "icon",
      "subdomain",
      "sharing_level",
      "healthcheck_url",
      "healthcheck_interval_seconds",
      "healthcheck_threshold",
      "health",
      "hidden",
    ])
    .execute();
}

export type ManifestAppRow = Awaited<ReturnType<typeof selectManifestApps>>[number];

export function selectManifestMetadata(db: Queryable, agentId: string) {
  return db
    .selectFrom("workspace_agent_metadata")
    .where("workspace_agent_id", "=", agentId)
    .orderBy("position")
    .orderBy("key")
    .select(["key", "display_name", "script", "interval_seconds", "timeout_seconds"])
    .execute();
}

export type ManifestMetadataRow = Awaited<ReturnType<typeof selectManifestMetadata>>[number];
