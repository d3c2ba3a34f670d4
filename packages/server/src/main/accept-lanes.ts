import { lookup } from "node:dns/promises";
import { once } from "node:events";
import type { Server } from "node:http";
import { createServer, isIP, type ListenOptions, type Server as SocketServer } from "node:net";

import type { ListenAddress } from "../platform/config/address-settings.ts";

/**
 * The sockets that listen on one address. Node.js accepts one connection of a listening socket in each turn of the
 * event loop, however long the turn and the queue are; the kernel spreads new connections over all of them.
 */
export const lanesPerAddress = process.platform === "linux" ? 8 : 1;

/**
 * The options of sockets that share their address with others of this process; only Linux spreads connections over
 * them.
 */
export const sharedAddress: Pick<ListenOptions, "reusePort"> =
  process.platform === "linux" ? { reusePort: true } : {};

/** Further listening sockets of a server. Closing them closes no connection. */
export interface AcceptLanes {
  /** Resolves once all connections that they have accepted are closed. */
  close(): Promise<void>;
}

/**
 * Opens the further sockets of a server that already listens on the first of the addresses, with `sharedAddress`. The
 * server handles the connections that they accept like its own. An address that cannot be opened is left out.
 */
export async function openAcceptLanes(
  server: Server,
  hosts: readonly string[],
  options: { readonly port: number; readonly backlog: number },
): Promise<AcceptLanes> {
  const lanes: SocketServer[] = [];
  const open = async (host: string): Promise<boolean> => {
    const lane = await openSocket(server, { ...options, ...sharedAddress, host }).catch(
      () => undefined,
    );
    if (lane !== undefined) lanes.push(lane);
    return lane !== undefined;
  };
  for (const [index, host] of hosts.entries()) {
    for (let lane = index === 0 ? 1 : 0; lane < lanesPerAddress; lane += 1) {
      if (!(await open(host))) break;
    }
  }
  return { close: async () => void (await Promise.all(lanes.map(closeSocket))) };
}

/**
 * Opens a further listening socket of a server, which handles the connections that it accepts like its own. Throws the
 * error of the system.
 */
export async function openSocket(server: Server, options: ListenOptions): Promise<SocketServer> {
  // The options of an HTTP server's own socket.
  const socket = createServer({ allowHalfOpen: true, noDelay: true });
  socket.on("connection", (connection) => server.emit("connection", connection));
  socket.listen(options);
  await once(socket, "listening");
  return socket;
}

/** Closes a further socket; resolves once all connections that it has accepted are closed. */
export async function closeSocket(socket: SocketServer): Promise<void> {
  socket.close();
  await once(socket, "close");
}

/**
 * Returns the addresses of the host to listen on: several for a name such as `localhost`. Rejects for an unknown one.
 */
export async function addressesOf({
  host,
}: Pick<ListenAddress, "host">): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  const found = await lookup(host, { all: true });
  return [...new Set(found.map(({ address }) => address))];
}
