import type { DriverAgent } from "@slipway/drivers";
import type { AgentDefinition } from "@slipway/template";
import { type Selectable, sql } from "kysely";

import {
  createAgentToken,
  type KeptAgentToken,
  openAgentToken,
} from "../../platform/auth/agent-token.ts";
import { type SecretBox, SecretError } from "../../platform/auth/secret-box.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import type { NewRows } from "../../platform/db/insert-rows.ts";
import { prepareQuery } from "../../platform/db/prepared-query.ts";
import { readEnvironment } from "./agent-json.ts";
import { agentRows, type InsertAgent } from "./definition-rows.ts";
import { type EndedAgent, endingAgents } from "./queries.ts";

/** A process that outlives its agent, with the agent's token and the lead of the clock of its machine. */
export interface OrphanProcess {
  readonly token: Pick<KeptAgentToken, "hash" | "sealed">;
  readonly clockAheadMs: number | null;
  /** False if it restarts by itself once it connects; otherwise it is owed a reinit. */
  readonly isOwedReinit: boolean;
}

/**
 * Ends the agents of a build, with their sub-agents, for another build whose agents take over their processes. Resolves
 * to the processes of the root agents by name.
 */
export async function endAgents(
  db: Queryable,
  buildId: string,
): Promise<ReadonlyMap<string, OrphanProcess>> {
  return orphanProcesses(await endAll(db, buildId));
}

/**
 * Ends the agents of a stopped build; resolves to those of its processes that wait for the next start, by name.
 * Machines that prove their identity are left out: they get a new token.
 */
export async function endRestingAgents(
  db: Queryable,
  buildId: string,
): Promise<ReadonlyMap<string, OrphanProcess>> {
  const ended = await endAll(db, buildId);
  const left = orphanProcesses(ended.filter(({ auth }) => auth === "token"));
  return new Map([...left].map(([name, one]) => [name, { ...one, isOwedReinit: false }]));
}

function endAll(db: Queryable, buildId: string): Promise<readonly EndedAgent[]> {
  return endingAgents(db, sql`${buildId}`).execute();
}

/** Returns the processes of the ended root agents, by name. */
export function orphanProcesses(ended: readonly EndedAgent[]): ReadonlyMap<string, OrphanProcess> {
  const roots = ended.filter(({ parent_id: parentId }) => parentId === null);
  return new Map(
    roots.map((row) => [
      row.name,
      {
        token: { hash: row.auth_token_hash, sealed: row.auth_token_encrypted },
        clockAheadMs: row.clock_ahead_ms,
        isOwedReinit: true,
      },
    ]),
  );
}

/** An agent of a build, and the process that it takes over, if any. */
export type NewAgent = Pick<InsertAgent, "resourceId" | "buildId" | "definition"> & {
  readonly process: OrphanProcess | undefined;
};

/**
 * Returns the rows of new agents of a build. Agents that take over no process get a new token, and so do those whose
 * token the driver needs but that cannot be decrypted.
 */
export function newAgentRows(secrets: SecretBox, agents: readonly NewAgent[]): readonly NewRows[] {
  return agentRows(
    agents.map(({ process: left, ...agent }) => ({
      ...agent,
      token: left !== undefined && isKept(secrets, left) ? left.token : createAgentToken(secrets),
      tookOver: left?.isOwedReinit ?? false,
      clockAheadMs: left?.clockAheadMs ?? null,
    })),
  );
}

function isKept(secrets: SecretBox, { token, isOwedReinit }: OrphanProcess): boolean {
  return isOwedReinit || openKnownToken(secrets, token.sealed) !== undefined;
}

/** An agent as its driver runs it, and how the server identifies it. */
export type KnownAgent = DriverAgent & Pick<AgentDefinition, "identity">;

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

/** Decrypts a token; returns undefined if it is lost. */
function openKnownToken(secrets: SecretBox, sealed: Buffer): string | undefined {
  try {
    return openAgentToken(secrets, sealed);
  } catch (error) {
    if (error instanceof SecretError) return undefined;
    throw error;
  }
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
  }));
}

/** Selects the agents of a build that its driver runs, without their sub-agents. */
const selectDriverAgents = prepareQuery((db, buildId: string) =>
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
