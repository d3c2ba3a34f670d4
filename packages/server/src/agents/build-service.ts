import type { Selectable } from "kysely";

import { createAgentToken, type KeptAgentToken } from "../auth/agent-token.ts";
import type { SecretBox } from "../auth/secret-box.ts";
import type { Queryable } from "../db/database.ts";
import type { DB } from "../db/gen/schema.ts";
import type { NewRows } from "../db/insert-rows.ts";
import type { DriverAgent } from "../drivers/driver-build.ts";
import type { AgentDefinition } from "../template-format/definition.ts";
import { readEnvironment } from "./agent-json.ts";
import {
  deleteAgents,
  deleteRootAgents,
  type InsertAgent,
  agentRows,
  resetLifecycles,
  selectDriverAgents,
} from "./insert-queries.ts";

/** The token that the process of an ended agent still has. */
export type LeftToken = Pick<KeptAgentToken, "hash" | "sealed">;

/**
 * Ends the agents of a build, with their sub-agents, for another build whose agents take over their processes. Resolves to
 * the tokens of the root agents by name.
 */
export async function endAgents(
  db: Queryable,
  buildId: string,
): Promise<ReadonlyMap<string, LeftToken>> {
  const rows = await deleteRootAgents(db, buildId);
  return new Map(
    rows.map((row) => [row.name, { hash: row.auth_token_hash, sealed: row.auth_token_encrypted }]),
  );
}

/** An agent of a build; one that is left a token goes on as the process that has it. */
export type NewAgent = Omit<InsertAgent, "token" | "tookOver"> & {
  readonly token: LeftToken | undefined;
};

/** The rows of new agents of a build; those that are left no token get one of their own. */
export function newAgentRows(secrets: SecretBox, agents: readonly NewAgent[]): readonly NewRows[] {
  return agentRows(
    agents.map(({ token, ...agent }) => ({
      ...agent,
      token: token ?? createAgentToken(secrets),
      tookOver: token !== undefined,
    })),
  );
}

/** An agent as its driver runs it, and how it is known to the server. */
export type KnownAgent = DriverAgent & Pick<AgentDefinition, "identity">;

/** The agents of a build as its driver runs them, with their tokens in clear. */
export async function readDriverAgents(
  db: Queryable,
  secrets: SecretBox,
  buildId: string,
): Promise<readonly KnownAgent[]> {
  const rows = await selectDriverAgents(db, buildId);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    token: secrets.open(row.auth_token_encrypted),
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

/** Agents whose processes start anew begin their life anew. */
export async function resetAgents(db: Queryable, agentIds: readonly string[]): Promise<void> {
  if (agentIds.length > 0) await resetLifecycles(db, agentIds);
}

/** The agents of a build that failed never come to life. */
export async function dropAgents(db: Queryable, buildId: string): Promise<void> {
  await deleteAgents(db, buildId);
}
