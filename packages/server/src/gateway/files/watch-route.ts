import { watchFiles } from "@slipway/api/agents/file-routes";
import { errorText } from "@slipway/runtime";
import type { WebSocket } from "ws";

import {
  keepAlive,
  messageBytes,
  type PeerSocket,
  refuseMessages,
} from "../../platform/http/peer-socket.ts";
import type { Routes } from "../../platform/http/routes.ts";
import type { AgentHttp } from "../agent-http/agent-http.ts";
import { checkedAnswer } from "./checked-answer.ts";
import { agentPath, type FileAccessNeeds, requireFiles } from "./file-access.ts";

/** The maximum size of an agent's message, in bytes. */
const maxMessageBytes = 4 * 1024 * 1024;
/** The maximum length of the reason for a close, in characters. */
const maxReasonLength = 120;

interface WatchNeeds extends FileAccessNeeds {
  readonly agents: AgentHttp;
}

/** Adds the route that passes on the changes of files, as fast as its client reads them. */
export function addWatchRoute(routes: Routes, needs: WatchNeeds): void {
  routes.userSocket(watchFiles, {
    prepare: async ({ params, query }, user) => ({
      agentId: await requireFiles(needs, user, params.agent),
      path: agentPath(watchFiles, query),
    }),
    serve: async (socket, { agentId, path }) => {
      refuseMessages(socket, 1008, "this stream takes no messages");
      keepAlive(socket);
      const agent = await openAgent(needs.agents, socket, agentId, path);
      if (agent !== undefined) await passOn(agent, socket);
    },
  });
}

/** Opens the agent's socket; tells the client why that failed. */
async function openAgent(
  agents: AgentHttp,
  socket: PeerSocket,
  agentId: string,
  path: string,
): Promise<WebSocket | undefined> {
  try {
    return await agents.openSocket(agentId, { path, maxMessageBytes, signal: socket.signal });
  } catch (error) {
    socket.close(1011, errorText(error).slice(0, maxReasonLength));
    return undefined;
  }
}

async function passOn(agent: WebSocket, socket: PeerSocket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = (code: number, reason: string): void => {
    agent.terminate();
    socket.close(code, reason);
    resolve();
  };
  socket.signal.addEventListener("abort", () => end(1000, ""), { once: true });
  agent.on("error", () => end(1011, "the agent is gone"));
  agent.on("close", (_code, reason) => {
    end(1011, reason.toString().slice(0, maxReasonLength) || "the agent is gone");
  });
  agent.on("message", (data) => {
    agent.pause();
    send(socket, messageBytes(data)).then(
      () => agent.resume(),
      (error: unknown) => end(1011, errorText(error).slice(0, maxReasonLength)),
    );
  });
  agent.resume();
  if (socket.signal.aborted) end(1000, "");
  await promise;
}

async function send(socket: PeerSocket, bytes: Uint8Array): Promise<void> {
  const message: unknown = JSON.parse(Buffer.from(bytes).toString());
  await socket.sendText(JSON.stringify(checkedAnswer(watchFiles, message)));
}
