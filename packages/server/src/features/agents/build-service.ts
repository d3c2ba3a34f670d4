import type { DriverAgent } from "@slipway/drivers";
import type { AgentDefinition } from "@slipway/template";
import type { Selectable } from "kysely";

import {
  createAgentToken,
  type KeptAgentToken,
  openAgentToken,
} from "../../platform/auth/agent-token.ts";
import { type SecretBox, SecretError } from "../../platform/auth/secret-box.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import type { NewRows } from "../../platform/db/insert-rows.ts";
import { readEnvironment } from "./agent-json.ts";
import {
  deleteAgents,
  deleteAllAgents,
  type EndedAgent,
  type InsertAgent,
  agentRows,
  resetLifecycles,
  reviveAgents,
  selectDriverAgents,
} from "./agent-queries.ts";

/** A process that continues after its agent ended: its token, and its clock. */
export interface LeftProcess {
  readonly token: Pick<KeptAgentToken, "hash" | "sealed">;
  readonly clockAheadMs: number | null;
  /** False if it begins its next life by itself, once it connects; otherwise it is owed a reinit. */
  readonly isOwedReinit: boolean;
}

/**
 * Ends the agents of a build, with their sub-agents, for another build whose agents take over their processes. Resolves
 * to the processes of the root agents by name.
 */
export async function endAgents(
  db: Queryable,
  buildId: string,
): Promise<ReadonlyMap<string, LeftProcess>> {
  return leftProcesses(await deleteAllAgents(db, buildId));
}

/**
 * Ends the agents of a build that was stopped; resolves to those of its processes that wait for the next start, by name. A
 * machine that proves its identity gets a new token by that.
 */
export async function endRestingAgents(
  db: Queryable,
  buildId: string,
): Promise<ReadonlyMap<string, LeftProcess>> {
  const ended = await deleteAllAgents(db, buildId);
  const left = leftProcesses(ended.filter(({ auth }) => auth === "token"));
  return new Map([...left].map(([name, one]) => [name, { ...one, isOwedReinit: false }]));
}

/** Returns the processes of the root agents among those that ended, by name. */
export function leftProcesses(ended: readonly EndedAgent[]): ReadonlyMap<string, LeftProcess> {
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
  readonly process: LeftProcess | undefined;
};

/**
 * Returns the rows of new agents of a build. Those that take over no process get a token of their own, and so do those whose
 * driver must be told a token that cannot be decrypted.
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

function isKept(secrets: SecretBox, { token, isOwedReinit }: LeftProcess): boolean {
  return isOwedReinit || openKnownToken(secrets, token.sealed) !== undefined;
}

/** An agent as its driver runs it, with the way the server identifies it. */
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
 * Reads the agents that are running already, to be stopped, deleted or claimed, which works without their tokens: one that
 * cannot be decrypted is empty.
 */
export function readRunningAgents(
  db: Queryable,
  secrets: SecretBox,
  buildId: string,
): Promise<readonly KnownAgent[]> {
  return readAgents(db, buildId, (sealed) => openKnownToken(secrets, sealed) ?? "");
}

/** Decrypts a token; undefined if it is lost. */
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
    identity: readIdentity(row),
  }));
}

function readIdentity({
  auth,
  auth_instance_id: instanceId,
}: Pick<Selectable<DB["workspace_agents"]>, "auth" | "auth_instance_id">): KnownAgent["identity"] {
  return auth === "token" || instanceId === null ? undefined : { auth, instanceId };
}

/** Resets the lifecycle of agents whose processes are restarted. */
export async function resetAgents(db: Queryable, agentIds: readonly string[]): Promise<void> {
  if (agentIds.length > 0) await resetLifecycles(db, agentIds);
}

/** Gives the agents of a failed start, which keep their tokens, back to the build before. */
export async function restoreAgents(db: Queryable, failedBuildId: string): Promise<void> {
  await reviveAgents(db, failedBuildId);
}

/** Deletes the agents of a failed build, which never run. */
export async function dropAgents(db: Queryable, buildId: string): Promise<void> {
  await deleteAgents(db, buildId);
}
