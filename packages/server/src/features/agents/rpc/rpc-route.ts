import { randomUUID } from "node:crypto";

import type { Clock, Logger } from "@slipway/runtime";

import type { SecretBox } from "../../../platform/auth/secret-box.ts";
import type { Database } from "../../../platform/db/database.ts";
import type { AgentCaller } from "../../../platform/http/caller.ts";
import type { PeerSocket } from "../../../platform/http/peer-socket.ts";
import type { PubSub } from "../../../platform/pubsub/pubsub.ts";
import { RpcSession } from "../../../platform/rpc/rpc-session.ts";
import type { AuditNotes } from "../../audit/note-service.ts";
import type { AgentSessions } from "../connection/agent-sessions.ts";
import { monitorConnection, watchCompanion } from "../connection/connection-monitor.ts";
import type { Heartbeat } from "../connection/heartbeat.ts";
import type { MetadataSink } from "../metadata/metadata-batcher.ts";
import type { AgentRpcContext } from "./context.ts";
import { agentRpcHandlers } from "./handlers.ts";
import type { WriteBudgets } from "./write-budgets.ts";

export interface AgentRpcNeeds {
  readonly db: Database;
  readonly pubsub: PubSub;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly secrets: SecretBox;
  readonly notes: AuditNotes;
  readonly metadata: MetadataSink;
  readonly noteActivity: (workspaceId: string) => Promise<void>;
  readonly heartbeat: Heartbeat;
  readonly sessions: AgentSessions;
  readonly budgets: WriteBudgets;
  readonly maxSubAgents: number;
  readonly replicaId: string;
  /** Counts the sessions of this replica. */
  readonly connectedAgents: { inc(): void; dec(): void };
  /** Counts the lines of logs that were stored. */
  readonly storedLogLines: { inc(count: number): void };
}

export interface PreparedRpc {
  readonly agent: AgentCaller;
  readonly apiVersion: string;
  /** True if the caller counts as the agent, whose connection times are kept. */
  readonly isAgent: boolean;
}

/** Serves an agent's session until it ends. */
export async function serveAgentRpc(
  needs: AgentRpcNeeds,
  socket: PeerSocket,
  { agent, apiVersion, isAgent }: PreparedRpc,
): Promise<void> {
  const { logger, replicaId } = needs;
  const who = { agent: agent.agentId, workspace: agent.workspaceId };
  const connectionId = randomUUID();
  const context = sessionContext(needs, { agent, apiVersion, connectionId });
  const kind = isAgent ? "agent" : "companion";
  using place = needs.sessions.open(agent.agentId, kind, (reason) => rpc.close(reason));
  const shared = {
    turnstile: place.turnstile,
    reserve: (bytes: number) => needs.budgets.reserve(agent.agentId, "traffic", bytes),
  };
  const rpc = new RpcSession(socket, agentRpcHandlers(context), shared, context);
  const { agentId, authenticatedAt } = agent;
  const session = { agentId, connectionId, replicaId, authenticatedAt };
  if (!isAgent) {
    const reason = await watchCompanion(needs, rpc, session, agent.workspaceId);
    logger.debug({ ...who, reason }, "session of another program ended");
    return;
  }
  logger.info({ ...who, name: agent.agentName, apiVersion }, "agent connected");
  needs.connectedAgents.inc();
  try {
    const reason = await monitorConnection(needs, rpc, session, agent.workspaceId);
    logger.info({ ...who, reason }, "agent disconnected");
  } finally {
    needs.connectedAgents.dec();
  }
}

function sessionContext(
  needs: AgentRpcNeeds,
  session: Pick<AgentRpcContext, "agent" | "apiVersion" | "connectionId">,
): AgentRpcContext {
  const {
    db,
    pubsub,
    clock,
    secrets,
    metadata,
    noteActivity,
    storedLogLines,
    budgets,
    maxSubAgents,
  } = needs;
  const { agent } = session;
  let logger: Logger | undefined;
  return {
    db,
    pubsub,
    clock,
    // Created on first use: most sessions log nothing, and there are many.
    get logger() {
      logger ??= needs.logger.child({ agent: agent.agentId, workspace: agent.workspaceId });
      return logger;
    },
    secrets,
    metadata,
    noteActivity,
    storedLogLines,
    maxSubAgents,
    reserve: (budget, cost) => budgets.reserve(agent.agentId, budget, cost),
    spend: (budget, wanted) => budgets.spend(agent.agentId, budget, wanted),
    ...session,
  };
}
