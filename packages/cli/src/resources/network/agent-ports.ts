import type { Duplex } from "node:stream";

import type { WorkspaceConnection } from "@slipway/sdk/workspace";

/** A UDP socket whose other end is a port of the workspace. Iterate to get the datagrams from there. */
export interface RemoteSocket extends AsyncIterable<Uint8Array> {
  /** Sends a copy. Throws `StackError` "datagram-too-large". */
  send(payload: Uint8Array): void;
  close(): void;
}

/** The ports of an agent, with the types of Node.js. */
export interface AgentPorts {
  /** Connects to a TCP port. Throws an error with the code `refused` if nothing listens there. */
  dial(port: number, signal: AbortSignal): Promise<Duplex>;
  connectUdp(port: number): RemoteSocket;
}

/** Returns the ports of an agent that was reached. */
export async function agentPorts(connection: WorkspaceConnection): Promise<AgentPorts> {
  const { toDuplex } = await import("@slipway/sdk/workspace");
  return {
    dial: async (port, signal) => toDuplex(await connection.dial(port, signal)),
    connectUdp: (port) => connectUdp(connection, port),
  };
}

function connectUdp(connection: WorkspaceConnection, port: number): RemoteSocket {
  const socket = connection.bindUdp();
  const remote = { address: connection.address, port };
  return {
    send: (payload) => socket.send(remote, payload),
    close: () => socket.close(),
    async *[Symbol.asyncIterator]() {
      for await (const { from, payload } of socket) if (from.port === port) yield payload;
    },
  };
}
