import type { Database, Queryable } from "../db/database.ts";
import type { AgentCaller, Authenticator, UserCaller } from "../http/caller.ts";
import { HttpError } from "../http/errors.ts";
import { findToken } from "../http/token.ts";
import { readUuid } from "../http/uuid.ts";
import { hashAgentToken } from "./agent-token.ts";
import { deleteKey, findKey, findLiveAgent, insertKey, touchKey } from "./queries.ts";
import { createSessionKey, isSecretOf, parseSessionToken } from "./session-key.ts";

const daySeconds = 24 * 3600;

/** Lifetimes of session keys in seconds (`clients.md` section 5.1). */
export const keyLifetimes = { browserSession: daySeconds, commandSession: 7 * daySeconds } as const;

/** Makes a session key and resolves to its token, which is not kept. */
export async function createSession(
  db: Queryable,
  userId: string,
  lifetimeSeconds: number,
): Promise<string> {
  const key = createSessionKey();
  await insertKey(db, { key, userId, lifetimeSeconds });
  return key.token;
}

export async function endSession(db: Queryable, keyId: string): Promise<void> {
  await deleteKey(db, keyId);
}

/** Finds callers in the database, as `rest.md` sections 1.2 to 1.4 say. */
export function createAuthenticator(db: Database, accessUrl: () => string): Authenticator {
  return {
    user: (request) => authenticateUser(db, accessUrl(), findToken(request)?.token),
    agent: (request) => authenticateAgent(db, findToken(request)?.token),
  };
}

async function authenticateUser(
  db: Database,
  accessUrl: string,
  token: string | undefined,
): Promise<UserCaller> {
  const refuse = (detail: string): HttpError => signedOut(accessUrl, detail);
  if (token === undefined) {
    throw refuse('Cookie "coder_session_token" or query parameter must be provided.');
  }
  const parsed = parseSessionToken(token);
  if ("problem" in parsed) throw refuse(parsed.problem);
  const key = await findKey(db, parsed.id);
  if (key === undefined) throw refuse("API key is invalid.");
  if (!isSecretOf(parsed.secret, key.hashed_secret)) throw refuse("API key secret is invalid.");
  if (key.is_expired) throw refuse(`API key expired at "${key.expires_at}".`);
  if (key.status === "suspended") {
    throw new HttpError(
      401,
      'User is not active (status = "suspended"). Contact an admin to reactivate your account.',
    );
  }
  if (key.is_stale) await touchKey(db, key.id);
  return { id: key.user_id, username: key.username, roles: key.roles, keyId: key.id };
}

function signedOut(accessUrl: string, detail: string): HttpError {
  const metadata = `${accessUrl}/.well-known/oauth-protected-resource`;
  return new HttpError(
    401,
    "You are signed out or your session has expired. Please sign in again to continue.",
    {
      detail,
      headers: {
        "WWW-Authenticate": `Bearer realm="coder", error="invalid_token", error_description="The access token has expired", resource_metadata="${metadata}"`,
      },
    },
  );
}

async function authenticateAgent(db: Database, token: string | undefined): Promise<AgentCaller> {
  if (token === undefined) {
    throw new HttpError(401, 'Cookie "coder_session_token" must be provided.');
  }
  const uuid = readUuid(token);
  if (uuid === undefined) {
    throw new HttpError(401, "Workspace agent token invalid.", {
      detail: `An agent token must be a valid UUIDv4. (len ${token.length})`,
    });
  }
  const row = await findLiveAgent(db, hashAgentToken(uuid));
  if (row === undefined) {
    throw new HttpError(401, "Workspace agent not authorized.", {
      detail:
        "No running build knows this token: the build may not have finished yet, or a newer one replaced this agent.",
    });
  }
  return {
    agentId: row.agent_id,
    agentName: row.agent_name,
    buildId: row.build_id,
    workspaceId: row.workspace_id,
    ownerId: row.owner_id,
  };
}
