import { randomUUID } from "node:crypto";

import type { AgentDefinition } from "@slipway/template";
import { type RawBuilder, sql } from "kysely";

import type { KeptAgentToken } from "../../platform/auth/agent-token.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { NewRows } from "../../platform/db/insert-rows.ts";
import { prepareQuery } from "../../platform/db/prepared-query.ts";
import { appRow, scriptName, scriptRow } from "./definition-rows.ts";

/** One agent of a build, with every text rendered. */
export interface InsertAgent {
  readonly resourceId: string;
  readonly buildId: string;
  readonly token: Pick<KeptAgentToken, "hash" | "sealed">;
  /** True if the process of an earlier agent continues as this one. */
  readonly tookOver: boolean;
  /** The lead of that process's clock, in milliseconds; null while unknown. */
  readonly clockAheadMs: number | null;
  readonly definition: AgentDefinition;
}

/** Returns the rows of agents with their scripts, log sources, metadata and apps. */
export function agentRows(agents: readonly InsertAgent[]): readonly NewRows[] {
  const made = agents.map((agent) => ({ agent, id: randomUUID() }));
  const scripts = made.flatMap(({ agent, id }) => scriptsOf(id, agent.definition));
  return [
    { table: "workspace_agents", rows: made.map(({ agent, id }) => agentRow(id, agent)) },
    {
      table: "workspace_agent_log_positions",
      rows: made.map(({ id }) => ({ workspace_agent_id: id })),
    },
    { table: "workspace_agent_log_sources", rows: scripts.map(({ source }) => source) },
    { table: "workspace_agent_scripts", rows: scripts.map(({ row }) => row) },
    {
      table: "workspace_agent_metadata",
      rows: made.flatMap(({ agent, id }) => metadataOf(id, agent.definition)),
    },
    {
      table: "workspace_apps",
      rows: made.flatMap(({ agent, id }) =>
        agent.definition.apps.map((app) =>
          appRow(app, { workspace_agent_id: id, position: app.order }),
        ),
      ),
    },
  ];
}

function agentRow(id: string, { definition, ...agent }: InsertAgent) {
  return {
    id,
    resource_id: agent.resourceId,
    workspace_build_id: agent.buildId,
    name: definition.name,
    auth_token_hash: agent.token.hash,
    auth_token_encrypted: agent.token.sealed,
    took_over: agent.tookOver,
    clock_ahead_ms: agent.clockAheadMs,
    architecture: definition.arch,
    operating_system: definition.os,
    environment_variables: definition.env,
    directory: definition.directory,
    motd_file: definition.motdFile,
    troubleshooting_url: definition.troubleshootingUrl,
    connection_timeout_seconds: definition.connectionTimeoutSeconds,
    display_apps: [...definition.displayApps],
    resource_monitors: definition.monitoring ?? {},
    auth: definition.identity?.auth ?? ("token" as const),
    auth_instance_id: definition.identity?.instanceId ?? null,
  };
}

/** Returns the scripts of an agent, each with the source of its log. */
function scriptsOf(agentId: string, { scripts }: AgentDefinition) {
  return scripts.map((script, position) => {
    const sourceId = randomUUID();
    return {
      source: {
        workspace_agent_id: agentId,
        id: sourceId,
        display_name: scriptName(script),
        icon: script.icon,
      },
      row: scriptRow(script, { workspace_agent_id: agentId, position, log_source_id: sourceId }),
    };
  });
}

function metadataOf(agentId: string, { metadata }: AgentDefinition) {
  return metadata.map((item) => ({
    workspace_agent_id: agentId,
    key: item.key,
    position: item.order,
    display_name: item.displayName,
    script: item.run,
    interval_seconds: item.intervalSeconds,
    timeout_seconds: item.timeoutSeconds,
  }));
}

/** Selects the agents of a build that a driver runs, without their sub-agents. */
export const selectDriverAgents = prepareQuery((db, buildId: string) =>
  db
    .selectFrom("workspace_agents")
    .where("workspace_build_id", "=", buildId)
    .where("parent_id", "is", null)
    .where("deleted", "=", sql.lit(false))
    .orderBy("name")
    .select([
      "id",
      "name",
      "auth_token_encrypted",
      "operating_system",
      "architecture",
      "directory",
      "environment_variables",
      "auth",
      "auth_instance_id",
    ]),
);

/** Resets the lifecycle of restarted agents: they take over nothing any more. */
export async function resetLifecycles(db: Queryable, agentIds: readonly string[]): Promise<void> {
  await db
    .updateTable("workspace_agents")
    .set({
      lifecycle_state: "created",
      started_at: null,
      ready_at: null,
      took_over: false,
      clock_ahead_ms: null,
    })
    .where("id", "in", agentIds)
    .execute();
}

/** Deletes the agents of a failed build, which never run. */
export async function deleteAgents(db: Queryable, buildId: string): Promise<void> {
  await db
    .updateTable("workspace_agents")
    .set({ deleted: true })
    .where("workspace_build_id", "=", buildId)
    .execute();
}

/** Ends the agents of a stopped workspace; resolves to their number. */
export async function endStoppedAgents(db: Queryable, workspaceId: string): Promise<number> {
  const ended = await db
    .updateTable("workspace_agents")
    .set({ deleted: true, updated_at: sql`now()` })
    .where("id", "in", ({ selectFrom }) =>
      selectFrom("stopped_agents").where("workspace_id", "=", workspaceId).select("id"),
    )
    .returning("id")
    .execute();
  return ended.length;
}

/** Undeletes the agents whose tokens those of a later build had, which never ran. */
export async function reviveAgents(db: Queryable, laterBuildId: string): Promise<void> {
  await sql`
    update workspace_agents as agent set deleted = false
    from workspace_agents as later
      join workspace_builds as build on build.id = later.workspace_build_id
    where later.workspace_build_id = ${laterBuildId} and agent.auth_token_hash = later.auth_token_hash
      and agent.workspace_build_id = (
        select earlier.id from workspace_builds as earlier
          join workspace_agents as kept on kept.workspace_build_id = earlier.id
        where earlier.workspace_id = build.workspace_id and earlier.build_number < build.build_number
          and kept.auth_token_hash = later.auth_token_hash
        order by earlier.build_number desc limit 1)`.execute(db);
}

/** Returns a statement that ends all agents of a build, and returns them. */
export function endingAgents(db: Queryable, buildId: RawBuilder<string>) {
  return db
    .updateTable("workspace_agents")
    .set({ deleted: true, updated_at: sql`now()` })
    .where("workspace_build_id", "=", buildId)
    .where("deleted", "=", sql.lit(false))
    .returning([
      "name",
      "parent_id",
      "auth",
      "auth_token_hash",
      "auth_token_encrypted",
      "clock_ahead_ms",
    ]);
}

export type EndedAgent = Awaited<ReturnType<ReturnType<typeof endingAgents>["execute"]>>[number];

/** Ends all agents of a build; resolves to them, in any order. */
export function deleteAllAgents(db: Queryable, buildId: string): Promise<readonly EndedAgent[]> {
  return endingAgents(db, sql`${buildId}`).execute();
}
