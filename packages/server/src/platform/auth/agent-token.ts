import { createHash, randomUUID } from "node:crypto";

import type { FastifyRequest } from "fastify";

import type { Queryable } from "../db/database.ts";
import type { GatheredLookups } from "../db/gathered-lookups.ts";
import { Unauthenticated } from "../errors/errors.ts";
import { readUuid } from "../fields/uuid.ts";
import type { AgentCaller } from "../http/caller.ts";
import { findToken } from "../http/token.ts";
import { isOfStoppedWorkspace, type LiveAgent } from "./queries.ts";
import { type SecretBox, SecretError } from "./secret-box.ts";

/** An agent's token as stored: found by its hash, and decrypted to hand it to the driver again. */
export interface KeptAgentToken {
  readonly token: string;
  readonly hash: Buffer;
  readonly sealed: Buffer;
}

/** Creates a token: a UUID, as stock agents expect. */
export function createAgentToken(secrets: SecretBox): KeptAgentToken {
  const token = randomUUID();
  return { token, hash: hashAgentToken(token), sealed: secrets.seal(token) };
}

/** Encrypts a token that a driver gave its agent; creates another one if agents cannot authenticate with it. */
export function keepAgentToken(secrets: SecretBox, token: string): KeptAgentToken {
  if (readUuid(token) !== token) return createAgentToken(secrets);
  return { token, hash: hashAgentToken(token), sealed: secrets.seal(token) };
}

/** Decrypts a token. Throws `SecretError`, including for one discarded because its key is lost (`rotateSecrets`). */
export function openAgentToken(secrets: Pick<SecretBox, "open">, sealed: Buffer): string {
  const token = secrets.open(sealed);
  if (token !== "") return token;
  throw new SecretError("discarded", "the agent's token was discarded: restart the workspace");
}

/** Decrypts a token; returns undefined if it is lost. */
export function openKnownToken(
  secrets: Pick<SecretBox, "open">,
  sealed: Buffer,
): string | undefined {
  try {
    return openAgentToken(secrets, sealed);
  } catch (error) {
    if (error instanceof SecretError) return undefined;
    throw error;
  }
}

export function hashAgentToken(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** Returns the token of an agent; an agent is not a browser and has no session. */
export function findAgentToken(request: FastifyRequest): string | undefined {
  return findToken(request, false)?.token;
}

export async function authenticateAgent(
  db: Queryable,
  agents: GatheredLookups<LiveAgent>,
  token: string | undefined,
): Promise<AgentCaller> {
  const hash = readAgentToken(token);
  const row = await agents.look(hash.toString("hex"));
  if (row === undefined) {
    throw (await isOfStoppedWorkspace(db, hash)) ? stoppedWorkspace() : rejectedAgentToken();
  }
  return {
    agentId: row.agent_id,
    agentName: row.agent_name,
    buildId: row.build_id,
    workspaceId: row.workspace_id,
    ownerId: row.owner_id,
    authenticatedAt: row.now,
  };
}

/** Returns the hash of an agent's token; throws `Unauthenticated` for a malformed one. */
export function readAgentToken(token: string | undefined): Buffer {
  if (token === undefined) {
    throw new Unauthenticated('Cookie "coder_session_token" must be provided.');
  }
  const uuid = readUuid(token);
  if (uuid !== undefined) return hashAgentToken(uuid);
  throw new Unauthenticated("Workspace agent token invalid.", {
    detail: `An agent token must be a valid UUIDv4. (len ${token.length})`,
  });
}

/** Returns the refusal of an agent whose workspace is stopped; our agent then runs its stop scripts. */
function stoppedWorkspace(): Unauthenticated {
  return new Unauthenticated("Workspace agent not authorized.", {
    detail: "The workspace is stopped. Its agent may connect again when it is started.",
    validations: [{ field: "workspace", detail: "is stopped" }],
  });
}

/** Returns the refusal of a token that no agent has. */
export function rejectedAgentToken(): Unauthenticated {
  return new Unauthenticated("Workspace agent not authorized.", {
    detail:
      "No running build knows this token: the build may not have finished yet, or a newer one replaced this agent.",
  });
}
