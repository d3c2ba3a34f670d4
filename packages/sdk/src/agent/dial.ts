import { Caller } from "@slipway/rpc";
import type { Clock } from "@slipway/runtime";

import type { AgentConnection } from "./connection.ts";
import { type AgentSocket, type AgentSocketOptions, openAgentSocket } from "./open-agent-socket.ts";

export interface DialOptions extends AgentSocketOptions {
  readonly clock: Clock;
}

/** Connects an agent to a server. Throws `DialError`, which names the rung of the ladder that failed. */
export async function dialAgent(options: DialOptions): Promise<AgentConnection> {
  return openSession(await openAgentSocket(options), options.clock);
}

/** Opens a session over a socket, and takes over the socket. */
export function openSession({ socket, apiVersion }: AgentSocket, clock: Clock): AgentConnection {
  const session = new Caller(socket, { apiVersion, clock });
  socket.raw.resume();
  return session;
}
