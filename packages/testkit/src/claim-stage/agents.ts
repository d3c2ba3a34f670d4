import { randomUUID } from "node:crypto";

import type { LifecycleState } from "@slipway/api/agents/agent";
import {
  type AgentSession,
  findLiveAgent,
  hashAgentToken,
  markConnected,
  updateAgentLifecycle,
} from "@slipway/server/claims";

import type { StageNeeds } from "./stage-needs.ts";

/** An agent that a driver was given to run. */
export interface StageAgent {
  readonly id: string;
  readonly name: string;
  readonly token: string;
}

/** Reads the root agents of a workspace's newest build, by name. */
export async function agentsOf(
  { db, secrets }: StageNeeds,
  workspaceId: string,
): Promise<readonly StageAgent[]> {
  const rows = await db
    .selectFrom("workspace_agents as agent")
    .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
    .where("build.workspace_id", "=", workspaceId)
    .where("agent.parent_id", "is", null)
    .where("agent.deleted", "=", false)
    .orderBy("build.build_number", "desc")
    .orderBy("agent.name")
    .select(["agent.id", "agent.name", "agent.auth_token_encrypted", "build.build_number"])
    .execute();
  return rows
    .filter(({ build_number: number }) => number === rows[0]?.build_number)
    .map(({ id, name, auth_token_encrypted: sealed }) => ({
      id,
      name,
      token: secrets.open(sealed),
    }));
}

/** Admits an agent as a server does; undefined for an unknown token. */
export async function connect(
  { db }: StageNeeds,
  token: string,
): Promise<AgentSession | undefined> {
  const agent = await findLiveAgent(db, hashAgentToken(token));
  if (agent === undefined) return undefined;
  const session = {
    agentId: agent.agent_id,
    connectionId: randomUUID(),
    replicaId: randomUUID(),
    authenticatedAt: agent.now,
  };
  await markConnected(db, session);
  return session;
}

/** Reports the state of a connected agent; false when nothing changes. */
export async function report(
  { db }: StageNeeds,
  session: AgentSession,
  state: LifecycleState,
  changedAt: string = new Date().toISOString(),
): Promise<boolean> {
  return (await updateAgentLifecycle(db, session, { state, changedAt })) === "changed";
}

/** Connects the agents of a workspace and reports that their start scripts have run. */
export async function bringToLife(needs: StageNeeds, workspaceId: string): Promise<void> {
  for (const { token } of await agentsOf(needs, workspaceId)) {
    const session = await connect(needs, token);
    if (session === undefined) throw new Error(`no agent of ${workspaceId} has this token`);
    await report(needs, session, "starting");
    await report(needs, session, "ready");
  }
}
