import { sql } from "kysely";

import { openAgentToken } from "../../../platform/auth/agent-token.ts";
import { findLiveAgent } from "../../../platform/auth/queries.ts";
import { NotFound, Unauthenticated } from "../../../platform/errors/errors.ts";
import { addressKey } from "../../../platform/fields/address.ts";
import type { RequestOrigin } from "../../../platform/http/request-origin.ts";
import type { ExchangeNeeds } from "./identity-service.ts";

/** The agent of a pod that proved its identity. */
export interface ProvedPod {
  /** The SHA-256 of its token, hexadecimal. */
  readonly tokenHash: string;
  /** The driver of the cluster that knows the pod. */
  readonly driver: string;
}

/** Finds the agent of the pod that holds a token of its cluster; undefined if no living pod of ours does. */
export type ProvePod = (token: string, signal: AbortSignal) => Promise<ProvedPod | undefined>;

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
  const pod = await provePod(podToken, signal);
  if (pod === undefined) throw new Unauthenticated("Invalid Kubernetes identity.");
  const tokenHash = Buffer.from(pod.tokenHash, "hex");
  const agent = await findLiveAgent(db, tokenHash);
  const row = await db
    .selectFrom("workspace_agents as agent")
    .innerJoin("workspace_builds as b", "b.id", "agent.workspace_build_id")
    .innerJoin("template_versions as v", "v.id", "b.template_version_id")
    .where("agent.auth_token_hash", "=", tokenHash)
    .where("agent.deleted", "=", sql.lit(false))
    // Who may create pods in one cluster must not take the place of an agent in another.
    .where(sql`v.definition ->> 'driver'`, "=", pod.driver)
    .select("agent.auth_token_encrypted")
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
