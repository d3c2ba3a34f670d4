import { topics } from "@slipway/server/claims";

import {
  makeSubAgent,
  markAlive,
  markConnected,
  markOver,
  type SessionStart,
  updateLifecycle,
  updateStartup,
} from "../model/agents.ts";
import type { AgentRow } from "../model/tables.ts";
import type { ServerEnd } from "../network/link.ts";
import type { AgentCall, ClientMessage, SimulatedManifest } from "../network/messages.ts";
import type { Transaction } from "../store/transaction.ts";
import type { ServerProcess } from "./server-process.ts";
import { userName } from "./user-name.ts";

/** The heartbeat interval of a session, in milliseconds. */
const beatMs = 15_000;

/** Serves the RPC session of an agent, as the server's connection monitor and handlers do. */
export async function serveRpc(
  server: ServerProcess,
  { token }: { readonly token: string },
  end: ServerEnd,
): Promise<void> {
  const { model, life, hints, trace } = server;
  const { agent, nowMs: authenticatedAtMs } = await model.db.query(life, (trx) => ({
    agent: model.view(trx).liveAgent(token),
    nowMs: trx.nowMs,
  }));
  if (agent === undefined) return server.refuse(end, 401);
  const session = { agentId: agent.id, connectionId: model.ids.next("c"), authenticatedAtMs };
  const { workspaceId } = agent;
  trace.add(life.name, () => `session of ${token} as ${agent.id}`, workspaceId);
  end.receive((message) => void answer(server, session, message, end));
  end.send({ type: "status", status: 200 });
  const beat = async (): Promise<void> => {
    const isLive = await model.db.query(life, (trx) => {
      markAlive(model, trx, session);
      return model.view(trx).liveAgent(token)?.id === agent.id;
    });
    if (!isLive) end.close();
  };
  using subscriptions = new DisposableStack();
  for (const topic of [topics.claim(workspaceId), topics.workspace(workspaceId)]) {
    subscriptions.use(hints.subscribe(topic, () => void beat().catch(nextBeat)));
  }
  const isThere = await model.db.query(life, (trx) => markConnected(model, trx, session));
  if (!isThere) end.close();
  hints.publish(topics.workspace(workspaceId));
  try {
    while (!end.closed.aborted) {
      await life.sleep(beatMs, end.closed);
      await beat();
    }
  } catch {
    end.close();
  }
  await model.db.query(life, (trx) => markOver(model, trx, session));
  hints.publish(topics.workspace(workspaceId));
}

function nextBeat(): void {
  // The next beat detects it.
}

/** Returns the agent's row, which every statement of the server requires. */
function requireLive(model: ServerProcess["model"], trx: Transaction, agentId: string): AgentRow {
  const agent = trx.get(model.tables.agents, agentId);
  const live = agent && model.view(trx).liveAgent(agent.token);
  if (agent === undefined || live?.id !== agentId) throw new Error("build is outdated");
  return agent;
}

async function answer(
  server: ServerProcess,
  session: SessionStart,
  message: ClientMessage,
  end: ServerEnd,
): Promise<void> {
  const { id } = message;
  try {
    end.send({ type: "answer", id, value: await call(server, session, message) });
  } catch (error) {
    end.send({ type: "failure", id, message: String(error) });
  }
}

async function call(
  { model, life, hints, trace }: ServerProcess,
  session: SessionStart,
  asked: AgentCall,
): Promise<SimulatedManifest | undefined> {
  const { agentId } = session;
  const { agents, builds } = model.tables;
  switch (asked.method) {
    case "manifest":
      return model.db.query(life, (trx) => {
        const agent = requireLive(model, trx, agentId);
        const build = trx.get(builds, agent.buildId);
        if (build === undefined) throw new Error("agent is gone");
        const { workspaceId, name } = agent;
        // The owner is that of the agent's own build, not of one in progress.
        return { agentId, workspaceId, agentName: name, ownerName: userName(build.ownerId) };
      });
    case "startup":
      await model.db.query(life, (trx) => {
        requireLive(model, trx, agentId);
        updateStartup(model, trx, session, asked.decides);
      });
      return undefined;
    case "lifecycle": {
      await model.db.query(life, (trx) => {
        requireLive(model, trx, agentId);
        updateLifecycle(model, trx, session, asked.report);
      });
      const workspaceId = agents.get(agentId)?.workspaceId;
      trace.add(life.name, () => `${agentId} is ${asked.report.state}`, workspaceId);
      if (workspaceId !== undefined) hints.publish(topics.workspace(workspaceId));
      return undefined;
    }
    case "sub-agent":
      await model.db.query(life, (trx) => {
        requireLive(model, trx, agentId);
        makeSubAgent(model, trx, agentId);
      });
      return undefined;
  }
}
