import { createServer, type Server } from "node:net";

import type { Connection } from "ssh2";

import { type ForwardingConnection, joinChannel } from "./join-channel.ts";

/** The ports that one client may have us listen on. */
const maxListeners = 64;
/** The connections to one of them at once. */
const maxConnections = 256;

/** Listens on ports of the workspace for the client (docs/protocol/agent.md §6.6). */
export function serveRemoteForwards(
  client: Connection,
  connection: ForwardingConnection,
  isBlocked: boolean,
): void {
  const listeners = new Map<string, Server>();
  connection.ended.addEventListener(
    "abort",
    () => {
      for (const server of listeners.values()) server.close();
      listeners.clear();
    },
    { once: true },
  );
  client.on("request", (accept, reject, name, info) => {
    if (isBlocked || !("bindAddr" in info)) {
      reject?.();
      return;
    }
    const { bindAddr, bindPort } = info;
    const key = `${bindAddr}\0${String(bindPort)}`;
    if (name === "cancel-tcpip-forward") {
      const server = listeners.get(key);
      listeners.delete(key);
      server?.close();
      if (server === undefined) reject?.();
      else accept?.();
      return;
    }
    if (listeners.has(key) || listeners.size >= maxListeners || connection.ended.aborted) {
      reject?.();
      return;
    }
    const server = listen(client, connection, bindAddr);
    listeners.set(key, server);
    server.on("error", () => {
      listeners.delete(key);
      reject?.();
    });
    server.listen({ host: hostOf(bindAddr), port: bindPort }, () => {
      const address = server.address();
      accept?.(typeof address === "object" ? address?.port : undefined);
    });
  });
}

function listen(client: Connection, connection: ForwardingConnection, bindAddr: string): Server {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    const { remoteAddress = "", remotePort = 0, localPort = 0 } = socket;
    client.forwardOut(bindAddr, localPort, remoteAddress, remotePort, (error, channel) => {
      if (error === undefined) void joinChannel(channel, socket, connection);
      else socket.destroy();
    });
  });
  server.maxConnections = maxConnections;
  return server;
}

/** Returns the address to listen on; undefined for all (RFC 4254, 7.1). */
function hostOf(bindAddr: string): string | undefined {
  if (bindAddr === "" || bindAddr === "*") return undefined;
  return bindAddr === "localhost" ? "127.0.0.1" : bindAddr;
}
