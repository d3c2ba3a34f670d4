import { sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";

import type { Queryable } from "../../../platform/db/database.ts";
import { prepareQuery } from "../../../platform/db/prepared-query.ts";
import { isLiveAgent } from "../live-queries.ts";

const manifests = prepareQuery((db, agentIds: readonly string[]) =>
  db
    .selectFrom("workspace_agents as agent")
    .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
    .innerJoin("workspaces as workspace", "workspace.id", "build.workspace_id")
    .innerJoin("users as owner", "owner.id", "build.owner_id")
    .where("agent.id", "=", sql<string>`any(${agentIds}::uuid[])`)
    .where(isLiveAgent(sql.ref("agent.id")))
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
    .select((agent) => [
      jsonArrayFrom(
        agent
          .selectFrom("workspace_agent_scripts as script")
          .whereRef("script.workspace_agent_id", "=", "agent.id")
          .orderBy("script.position")
          .select([
            "script.id",
            "script.log_source_id",
            "script.log_path",
            "script.script",
            "script.cron",
            "script.run_on_start",
            "script.run_on_stop",
            "script.start_blocks_login",
            "script.timeout_seconds",
            "script.display_name",
          ]),
      ).as("scripts"),
      jsonArrayFrom(
        agent
          .selectFrom("workspace_apps as app")
          .whereRef("app.workspace_agent_id", "=", "agent.id")
          .orderBy("app.slug")
          .select([
            "app.id",
            "app.url",
            "app.external",
            "app.slug",
            "app.display_name",
            "app.command",
            "app.icon",
            "app.subdomain",
            "app.sharing_level",
            "app.healthcheck_url",
            "app.healthcheck_interval_seconds",
            "app.healthcheck_threshold",
            "app.health",
            "app.hidden",
          ]),
      ).as("apps"),
      jsonArrayFrom(
        agent
          .selectFrom("workspace_agent_metadata as item")
          .whereRef("item.workspace_agent_id", "=", "agent.id")
          .orderBy("item.position")
          .orderBy("item.key")
          .select([
            "item.key",
            "item.display_name",
            "item.script",
            "item.interval_seconds",
            "item.timeout_seconds",
          ]),
      ).as("metadata"),
    ]),
);

/**
 * Selects the inputs of live agents' manifests by the agent's id, in one statement, with the name of the workspace and
 * the owner that its build is for: until a claim is done, the previous one.
 */
export async function selectManifests(
  db: Queryable,
  agentIds: readonly string[],
): Promise<ReadonlyMap<string, ManifestRow>> {
  return new Map((await manifests(db, agentIds)).map((row) => [row.id, row]));
}

export type ManifestRow = Awaited<ReturnType<typeof manifests>>[number];
export type ManifestScriptRow = ManifestRow["scripts"][number];
export type ManifestAppRow = ManifestRow["apps"][number];
export type ManifestMetadataRow = ManifestRow["metadata"][number];
