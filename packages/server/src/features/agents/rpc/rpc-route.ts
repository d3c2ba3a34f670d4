import { randomUUID } from "node:crypto";

import { agentRpc } from "@slipway/api/agents/routes";
import { maxSessionMessageBytes, Responder, type RpcTable, type SharedCalls } from "@slipway/rpc";
import type { Logger, UnfinishedBytes } from "@slipway/runtime";

import type { AgentCaller } from "../../../platform/http/caller.ts";
import { watchClient } from "../../../platform/http/client-disconnect.ts";
import type { PeerSocket } from "../../../platform/http/peer-socket.ts";
import type { Routes } from "../../../platform/http/routes.ts";
import type { Platform } from "../../../platform/platform.ts";
import type { RpcCaller } from "../calls/rpc-caller.ts";
import type { WriteBudgets } from "../calls/write-budgets.ts";
import { AgentSessions } from "../connections/agent-sessions.ts";
import { negotiateVersion } from "../connections/api-version.ts";
import type { ConnectionMonitor } from "../connections/connection-monitor.ts";
import type { Beginning, NewSessions } from "./new-sessions.ts";

interface RpcRouteNeeds extends Pick<Platform, "clock" | "logger"> {
  readonly rpcs: RpcTable<RpcCaller>;
  readonly monitor: ConnectionMonitor;
  readonly budgets: WriteBudgets;
  readonly unfinished: UnfinishedBytes;
  readonly newSessions: NewSessions;
  /** Counts the sessions of this replica. */
  readonly connectedAgents: { inc(): void; dec(): void };
}

/** A session before its upgrade. */
interface NewSession extends Pick<RpcCaller, "agent" | "apiVersion"> {
  /** True if the caller counts as the agent, whose connection times are kept. */
  readonly isAgent: boolean;
  readonly beginning: Beginning;
}

/** Adds the route of agents' RPC sessions (docs/protocol/rpc.md §1). */
export function addRpcRoute(routes: Routes, needs: RpcRouteNeeds): void {
  const sessions = new AgentSessions();
  routes.agentSocket(agentRpc, {
    maxMessageBytes: maxSessionMessageBytes,
    prepare: async ({ query, raw }, agent): Promise<NewSession> => {
      using client = watchClient(raw);
      return {
        agent,
        apiVersion: negotiateVersion(query.version),
        // Other programs that share the token, such as log shippers, name another role.
        isAgent: query.role === undefined || query.role === "" || query.role === "agent",
        beginning: await needs.newSessions.begin(agent.ownerId, client.signal),
      };
    },
    serve: (socket, session) => serveSession(needs, sessions, socket, session),
  });
}

/** Serves a session until it ends. */
async function serveSession(
  needs: RpcRouteNeeds,
  sessions: AgentSessions,
  socket: PeerSocket,
  { agent, apiVersion, isAgent, beginning }: NewSession,
): Promise<void> {
  const { monitor, budgets, unfinished, clock, logger } = needs;
  const caller = new SessionCaller(needs, { agent, apiVersion, connectionId: randomUUID() });
  const kind = isAgent ? "agent" : "companion";
  using place = sessions.open(agent.agentId, kind, (reason) => rpc.close(reason));
  const shared: SharedCalls = {
    turnstile: place.turnstile,
    reserve: (bytes) => budgets.reserve(agent.agentId, "traffic", bytes),
    openUnfinished: (cutOff) => unfinished.open(agent.ownerId, cutOff),
  };
  const rpc = new Responder(socket, needs.rpcs, caller, { clock, shared });
  // The answer has waited for its turn like the calls that the agent begins with.
  rpc.ping(() => beginning.end());
  const who = whoOf(agent);
  if (!isAgent) {
    const reason = await monitor.watchCompanion(rpc, caller);
    logger.debug({ ...who, reason }, "session of another program ended");
    return;
  }
  logger.info({ ...who, name: agent.agentName, apiVersion }, "agent connected");
  needs.connectedAgents.inc();
  try {
    const reason = await monitor.watchAgent(rpc, caller);
    logger.info({ ...who, reason }, "agent disconnected");
  } finally {
    needs.connectedAgents.dec();
  }
}

/** The caller of a session. Its logger is created on first use: most sessions log nothing, and there are many. */
class SessionCaller implements RpcCaller {
  readonly agent: AgentCaller;
  readonly connectionId: string;
  readonly apiVersion: string;
  readonly spend: RpcCaller["spend"];
  readonly reserve: RpcCaller["reserve"];
  readonly #parent: Logger;
  #logger: Logger | undefined;

  constructor(
    { budgets, logger }: Pick<RpcRouteNeeds, "budgets" | "logger">,
    { agent, apiVersion, connectionId }: Pick<RpcCaller, "agent" | "apiVersion" | "connectionId">,
  ) {
    this.agent = agent;
    this.apiVersion = apiVersion;
    this.connectionId = connectionId;
    this.spend = (budget, wanted) => budgets.spend(agent.agentId, budget, wanted);
    this.reserve = (...given) => budgets.reserve(agent.agentId, ...given);
    this.#parent = logger;
  }

  get logger(): Logger {
    this.#logger ??= this.#parent.child(whoOf(this.agent));
    return this.#logger;
  }
}

function whoOf({ agentId, workspaceId }: AgentCaller): {
  readonly agent: string;
  readonly workspace: string;
} {
  return { agent: agentId, workspace: workspaceId };
}
