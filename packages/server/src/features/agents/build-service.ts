import type { DriverAgent } from "@slipway/drivers";
import type { AgentDefinition } from "@slipway/template";
import { type Selectable, sql } from "kysely";

import { openAgentToken, openKnownToken } from "../../platform/auth/agent-token.ts";
import type { SecretBox } from "../../platform/auth/secret-box.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { prepareQuery } from "../../platform/db/prepared-query.ts";
import { readEnvironment } from "./agent-json.ts";
import { isOfExternalAgents } from "./queries.ts";

/** An agent as its driver runs it, and how the server identifies it. */
export interface KnownAgent extends DriverAgent, Pick<AgentDefinition, "identity"> {
  /** True if people start it by hand. */
  readonly isExternal: boolean;
}

/** Reads the agents of a build as its driver runs them, with their tokens in clear text. Throws `SecretError`. */
export function readDriverAgents(
  db: Queryable,
  secrets: SecretBox,
  buildId: string,
): Promise<readonly KnownAgent[]> {
  return readAgents(db, buildId, (sealed) => openAgentToken(secrets, sealed));
}

/**
 * Reads agents that are already running, to stop, delete or claim them, which works without their tokens: a token that
 * cannot be decrypted is empty.
 */
export function readRunningAgents(
  db: Queryable,
  secrets: SecretBox,
  buildId: string,
): Promise<readonly KnownAgent[]> {
  return readAgents(db, buildId, (sealed) => openKnownToken(secrets, sealed) ?? "");
}

async function readAgents(
  db: Queryable,
  buildId: string,
  openToken: (sealed: Buffer) => string,
): Promise<readonly KnownAgent[]> {
  const rows = await selectDriverAgents(db, buildId);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    token: openToken(row.auth_token_encrypted),
    platform: { os: row.operating_system, arch: row.architecture },
    directory: row.directory,
    environment: readEnvironment(row.environment_variables),
    container: undefined,
    identity: readIdentity(row),
    isExternal: row.is_external,
  }));
}

/** Selects the agents of a build that its driver runs, without their sub-agents. */
const selectDriverAgents = prepareQuery((db, buildId: string) =>
  db
    .selectFrom("workspace_agents as agent")
    .innerJoin("workspace_resources as resource", "resource.id", "agent.resource_id")
    .where("agent.workspace_build_id", "=", buildId)
    .where("agent.parent_id", "is", null)
    .where("agent.deleted", "=", sql.lit(false))
    .orderBy("agent.name")
    .select([
      "agent.id",
      "agent.name",
      "auth_token_encrypted",
      "operating_system",
      "architecture",
      "directory",
      "environment_variables",
      "auth",
      "auth_instance_id",
      isOfExternalAgents("resource").as("is_external"),
    ]),
);

function readIdentity({
  auth,
  auth_instance_id: instanceId,
}: Pick<Selectable<DB["workspace_agents"]>, "auth" | "auth_instance_id">): KnownAgent["identity"] {
  return auth === "token" || instanceId === null ? undefined : { auth, instanceId };
}

/** Resets the lifecycle of agents whose processes are restarted: they no longer take over a process. */
export async function resetAgents(db: Queryable, agentIds: readonly string[]): Promise<void> {
  if (agentIds.length === 0) return;
  await db
    .updateTable("workspace_agents")
    .set({
      lifecycle_state: "created",
      started_at: null,
      ready_at: null,
      took_over: false,
      clock_ahead_ms: null,
      end_detail: null,
      disconnected_at: sql`case when first_connected_at is not null then disconnected_at end`,
    })
    .where("id", "in", agentIds)
    .execute();
}

/** Undeletes the agents whose tokens the agents of a failed start took over, which never ran. */
export async function restoreAgents(db: Queryable, failedBuildId: string): Promise<void> {
  await sql`
    update workspace_agents as agent set deleted = false
    from workspace_agents as later
      join workspace_builds as build on build.id = later.workspace_build_id
    where later.workspace_build_id = ${failedBuildId} and agent.auth_token_hash = later.auth_token_hash
      and agent.workspace_build_id = (
        select earlier.id from workspace_builds as earlier
          join workspace_agents as kept on kept.workspace_build_id = earlier.id
        where earlier.workspace_id = build.workspace_id and earlier.build_number < build.build_number
          and kept.auth_token_hash = later.auth_token_hash
        order by earlier.build_number desc limit 1)`.execute(db);
}

/** Deletes the agents of a failed build, which never run. */
export async function dropAgents(db: Queryable, buildId: string): Promise<void> {
  await db
    .updateTable("workspace_agents")
    .set({ deleted: true })
    .where("workspace_build_id", "=", buildId)
    .execute();
}
