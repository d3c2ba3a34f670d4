import { randomUUID } from "node:crypto";

import { sql } from "kysely";

import type { KeptAgentToken } from "../auth/agent-token.ts";
import type { Queryable } from "../db/database.ts";
import type { AgentDefinition } from "../template-format/definition.ts";
import { appRow, scriptName, scriptRow } from "./definition-rows.ts";

/** One agent of a build, with every text rendered. */
export interface InsertAgent {
  readonly resourceId: string;
  readonly buildId: string;
  readonly token: Pick<KeptAgentToken, "hash" | "sealed">;
  /** Whether the process of an earlier agent goes on as this one. */
  readonly tookOver: boolean;
  readonly definition: AgentDefinition;
}

/** Inserts an agent with its scripts, log sources, metadata and apps; resolves to its id. */
export async function insertAgent(db: Queryable, input: InsertAgent): Promise<string> {
  const { definition } = input;
  const agent = {
    resource_id: input.resourceId,
    workspace_build_id: input.buildId,
    name: definition.name,
    auth_token_hash: input.token.hash,
    auth_token_encrypted: input.token.sealed,
    took_over: input.tookOver,
    architecture: definition.arch,
    operating_system: definition.os,
    environment_variables: JSON.stringify(definition.env),
    directory: definition.directory,
    motd_file: definition.motdFile,
    troubleshooting_url: definition.troubleshootingUrl,
    connection_timeout_seconds: definition.connectionTimeoutSeconds,
    display_apps: [...definition.displayApps],
    resource_monitors: JSON.stringify(definition.monitoring ?? {}),
  };
  const { id } = await db
    .with("agent", (part) => part.insertInto("workspace_agents").values(agent).returning("id"))
    .insertInto("workspace_agent_log_positions")
    .columns(["workspace_agent_id"])
    .expression((part) => part.selectFrom("agent").select("id"))
    .returning("workspace_agent_id as id")
    .executeTakeFirstOrThrow();
  await insertScripts(db, id, definition);
  await insertMetadata(db, id, definition);
  await insertApps(db, id, definition);
  return id;
}

async function insertScripts(
  db: Queryable,
  agentId: string,
  { scripts }: AgentDefinition,
): Promise<void> {
  if (scripts.length === 0) return;
  const named = scripts.map((script) => ({ script, sourceId: randomUUID() }));
  const sources = named.map(({ script, sourceId }) => ({
    workspace_agent_id: agentId,
    id: sourceId,
    display_name: scriptName(script),
    icon: script.icon,
  }));
  await db
    .with("sources", (part) => part.insertInto("workspace_agent_log_sources").values(sources))
    .insertInto("workspace_agent_scripts")
    .values(
      named.map(({ script, sourceId }, position) =>
        scriptRow(script, { workspace_agent_id: agentId, position, log_source_id: sourceId }),
      ),
    )
    .execute();
}

async function insertMetadata(
  db: Queryable,
  agentId: string,
  { metadata }: AgentDefinition,
): Promise<void> {
  if (metadata.length === 0) return;
  await db
    .insertInto("workspace_agent_metadata")
    .values(
      metadata.map((item) => ({
        workspace_agent_id: agentId,
        key: item.key,
        position: item.order,
        display_name: item.displayName,
        script: item.run,
        interval_seconds: item.intervalSeconds,
        timeout_seconds: item.timeoutSeconds,
      })),
    )
    .execute();
}

async function insertApps(
  db: Queryable,
  agentId: string,
  { apps }: AgentDefinition,
): Promise<void> {
  if (apps.length === 0) return;
  await db
    .insertInto("workspace_apps")
    .values(apps.map((app) => appRow(app, { workspace_agent_id: agentId, position: app.order })))
    .execute();
}

/** The agents of a build that a driver is to run: not their sub-agents. */
export function selectDriverAgents(db: Queryable, buildId: string) {
  return db
    .selectFrom("workspace_agents")
    .where("workspace_build_id", "=", buildId)
    .where("parent_id", "is", null)
    .where("deleted", "=", false)
    .orderBy("name")
    .select([
      "id",
      "name",
      "auth_token_encrypted",
      "operating_system",
      "architecture",
      "directory",
      "environment_variables",
    ])
    .execute();
}

/** Agents whose processes start anew begin their life anew, and nobody's life before it. */
export async function resetLifecycles(db: Queryable, agentIds: readonly string[]): Promise<void> {
  await db
    .updateTable("workspace_agents")
    .set({ lifecycle_state: "created", started_at: null, ready_at: null, took_over: false })
    .where("id", "in", agentIds)
    .execute();
}

/** The agents of a build that failed never come to life. */
export async function deleteAgents(db: Queryable, buildId: string): Promise<void> {
  await db
    .updateTable("workspace_agents")
    .set({ deleted: true })
    .where("workspace_build_id", "=", buildId)
    .execute();
}

/** Ends all agents of a build; resolves to its root agents, in whatever order. */
export async function deleteRootAgents(db: Queryable, buildId: string) {
  const ended = await db
    .updateTable("workspace_agents")
    .set({ deleted: true, updated_at: sql`now()` })
    .where("workspace_build_id", "=", buildId)
    .where("deleted", "=", false)
    .returning(["name", "parent_id", "auth_token_hash", "auth_token_encrypted"])
    .execute();
  return ended.filter(({ parent_id }) => parent_id === null);
}
