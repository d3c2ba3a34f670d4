import { sql } from "kysely";

import { openAgentToken } from "../../../platform/auth/agent-token.ts";
import { findLiveAgent } from "../../../platform/auth/queries.ts";
import { NotFound, Unauthenticated } from "../../../platform/errors/errors.ts";
import { addressKey } from "../../../platform/fields/address.ts";
import type { RequestOrigin } from "../../../platform/http/request-origin.ts";
import type { ExchangeNeeds } from "./identity-service.ts";

/**
 * Returns the SHA-256 of the token of the agent whose pod holds a token of its cluster; undefined if no living pod of ours
 * does.
 */
export type ProvePod = (token: string, signal: AbortSignal) => Promise<string | undefined>;

interface PodNeeds extends ExchangeNeeds {
  readonly provePod: ProvePod | undefined;
}

/** The interval at which the requests of an address are audited. */
const noteOnceInMs = 3_600_000;

/** Returns the token of the agent that runs in a pod, which proves its identity by a token of its cluster. */
export async function exchangePod(
  { db, secrets, notes, provePod }: PodNeeds,
  podToken: string,
  origin: RequestOrigin,
  signal: AbortSignal,
): Promise<string> {
  if (provePod === undefined) {
    throw new NotFound("This server runs no workspaces on Kubernetes.");
  }
  const hash = await provePod(podToken, signal);
  if (hash === undefined) throw new Unauthenticated("Invalid Kubernetes identity.");
  const tokenHash = Buffer.from(hash, "hex");
  const agent = await findLiveAgent(db, tokenHash);
  const row = await db
    .selectFrom("workspace_agents")
    .where("auth_token_hash", "=", tokenHash)
    .where("deleted", "=", sql.lit(false))
    .select("auth_token_encrypted")
    .executeTakeFirst();
  if (agent?.agent_id == null || row === undefined) {
    throw new NotFound("The agent of this pod belongs to no running workspace.");
  }
  await notes.record(
    {
      by: { id: undefined, origin },
      organizationId: undefined,
      action: "login",
      resourceType: "workspace_agent",
      resourceId: agent.agent_id,
      target: agent.agent_name ?? "",
      diff: {},
      fields: { auth: "kubernetes-instance-identity", workspace_id: agent.workspace_id },
    },
    { key: `exchange ${agent.agent_id} ${addressKey(origin.ip)}`, onceInMs: noteOnceInMs },
  );
  return openAgentToken(secrets, row.auth_token_encrypted);
}
