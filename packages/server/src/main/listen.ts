import { type AddressInfo, createServer } from "node:net";

import { systemErrorCode } from "@slipway/runtime";
import type { FastifyInstance } from "fastify";

import type { ListenAddress } from "../platform/config/address-settings.ts";
import type { Settings } from "../platform/config/settings.ts";
import type { Connections } from "../platform/http/connections.ts";
import { addressesOf, lanesPerAddress, openAcceptLanes, sharedAddress } from "./accept-lanes.ts";
import { StartError } from "./start-error.ts";

/**
 * The maximum number of connections that the kernel queues for acceptance; it may queue fewer. Thousands of agents
 * reconnect at the same time after a restart, and one that finds no room backs off for up to half a minute. The queue
 * is no longer than this because a new connection waits for all before it, even those that were reset in the meantime:
 * about 70 µs each.
 */
const backlog = 4_096;
const laneBacklog = backlog / lanesPerAddress;

/**
 * The time clients have to answer the close of their sockets, in milliseconds, before they are disconnected. They lose
 * nothing: the server has stored what it acknowledged, and they send the rest again.
 */
const drainMs = 1_000;

/** The open listener; disposing of it closes every connection. */
export interface Listener extends AsyncDisposable {
  readonly accessUrl: string;
  readonly port: number;
}

/** Opens the listener and determines the address at which it is reached. Throws `StartError`. */
export async function listen(
  app: FastifyInstance,
  connections: Pick<Connections, "destroyAll">,
  settings: Settings,
): Promise<Listener> {
  const { host, port } = settings.listen;
  let hosts: readonly string[];
  try {
    hosts = await addressesOf(settings.listen);
    // An address shared among the sockets of this process could also be shared with another process.
    await tryAddress(settings.listen);
    // For a name with two addresses, Fastify would open a second server, which lacks everything added to this one.
    await app.listen({ ...sharedAddress, host: hosts[0] ?? host, port, backlog: laneBacklog });
  } catch (error) {
    await app.close();
    throw listenError(error, settings.listen);
  }
  const listeningPort = portOf(app.server.address());
  const lanes = await openAcceptLanes(app.server, hosts, {
    port: listeningPort,
    backlog: laneBacklog,
  });
  return {
    accessUrl: settings.accessUrl ?? localUrl(host, listeningPort),
    port: listeningPort,
    [Symbol.asyncDispose]: async () => {
      app.server.closeIdleConnections();
      const closed = Promise.all([app.close(), lanes.close()]);
      app.server.closeAllConnections();
      // WebSockets that do not close, and upgrades without an answer.
      const cutOff = setTimeout(() => connections.destroyAll(), drainMs);
      await closed.finally(() => clearTimeout(cutOff));
    },
  };
}

/** Listens briefly on an address without sharing it, to fail before anything is changed. Throws `StartError`. */
export async function tryAddress(address: ListenAddress): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const server = createServer((socket) => socket.destroy());
  server.once("error", reject);
  server.listen(address, () => server.close(() => resolve()));
  await promise.catch((error: unknown) => {
    throw listenError(error, address);
  });
}

/** Returns a `StartError` if the system gives a reason for its refusal; any other error unchanged. */
function listenError(error: unknown, { host, port }: ListenAddress): unknown {
  const code = systemErrorCode(error);
  // Any port but one that is likely to be taken as well; 0 picks a free one.
  const other = `SLIPWAY_HTTP_ADDRESS=${host.includes(":") ? `[${host}]` : host}:${port < 65_535 ? port + 1 : 0}`;
  const choose = `choose another, such as ${other}`;
  if (code === "EADDRINUSE") {
    return new StartError("address-in-use", `port ${port} is in use; ${choose}`);
  }
  const reason = refusals.get(code);
  if (reason === undefined) return error;
  return new StartError(
    "address-refused",
    `cannot listen on ${host} port ${port}: ${reason}; ${choose}`,
  );
}

const refusals: ReadonlyMap<string | undefined, string> = new Map([
  ["EACCES", "this user may not use that port"],
  ["EADDRNOTAVAIL", "this machine does not have that address"],
  ["ENOTFOUND", "no such host is known"],
]);

function portOf(address: AddressInfo | string | null): number {
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Returns whether a server listens on all addresses of its machine. */
export function isAnyAddress(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

function localUrl(host: string, port: number): string {
  const name = isAnyAddress(host) ? "127.0.0.1" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}
