import { createAgentToken } from "../auth/agent-token.ts";
import type { SecretBox } from "../auth/secret-box.ts";
import type { Queryable } from "../db/database.ts";
import type { DriverAgent } from "../drivers/driver-build.ts";
import { readEnvironment } from "./agent-json.ts";
import {
  deleteAgents,
  type InsertAgent,
  insertAgent,
  resetLifecycles,
  selectDriverAgents,
} from "./insert-queries.ts";

/** Makes an agent of a build, with a token of its own; resolves to its id. */
export async function makeAgent(
  db: Queryable,
  secrets: SecretBox,
  input: Omit<InsertAgent, "token">,
): Promise<string> {
  return insertAgent(db, { ...input, token: createAgentToken(secrets) });
}

/** The agents of a build as its driver runs them, with their tokens in clear. */
export async function readDriverAgents(
  db: Queryable,
  secrets: SecretBox,
  buildId: string,
): Promise<readonly DriverAgent[]> {
  const rows = await selectDriverAgents(db, buildId);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    token: secrets.open(row.auth_token_encrypted),
    platform: { os: row.operating_system, arch: row.architecture },
    directory: row.directory,
    environment: readEnvironment(row.environment_variables),
  }));
}

/** Agents whose processes start anew begin their life anew. */
export async function resetAgents(db: Queryable, agentIds: readonly string[]): Promise<void> {
  if (agentIds.length > 0) await resetLifecycles(db, agentIds);
}

/** The agents of a build that failed never come to life. */
export async function dropAgents(db: Queryable, buildId: string): Promise<void> {
  await deleteAgents(db, buildId);
}
