import { type AddressInfo, createServer, type Server } from "node:net";

import { systemErrorCode } from "@slipway/runtime";
import type { FastifyInstance } from "fastify";

import type { ListenAddress } from "../platform/config/address-settings.ts";
import type { Settings } from "../platform/config/settings.ts";
import type { Connections } from "../platform/http/connections.ts";
import {
  addressesOf,
  closeSocket,
  lanesPerAddress,
  openAcceptLanes,
  openSocket,
  sharedAddress,
} from "./accept-lanes.ts";
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
  /**
   * Listens on a further address of this machine, at the same port or, if that is taken, another. Resolves to the URL, and
   * to the same one if it is called again. Throws the error of the system.
   */
  listenOn(host: string): Promise<string>;
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
  const further = new FurtherAddresses(app, { host, port: listeningPort });
  return {
    accessUrl: settings.accessUrl ?? localUrl(host, listeningPort),
    port: listeningPort,
    listenOn: (address) => further.listenOn(address),
    [Symbol.asyncDispose]: async () => {
      app.server.closeIdleConnections();
      const closed = Promise.all([app.close(), lanes.close(), further.close()]);
      app.server.closeAllConnections();
      // WebSockets that do not close, and upgrades without an answer.
      const cutOff = setTimeout(() => connections.destroyAll(), drainMs);
      await closed.finally(() => clearTimeout(cutOff));
    },
  };
}

/** The addresses on which a server listens besides its own. */
class FurtherAddresses {
  readonly #app: FastifyInstance;
  readonly #own: ListenAddress;
  readonly #sockets = new Map<string, Promise<Server>>();

  constructor(app: FastifyInstance, own: ListenAddress) {
    this.#app = app;
    this.#own = own;
  }

  async listenOn(host: string): Promise<string> {
    const { port } = this.#own;
    if (isAnyAddress(this.#own.host) || host === this.#own.host) return localUrl(host, port);
    const known = this.#sockets.get(host) ?? this.#open(host);
    this.#sockets.set(host, known);
    try {
      return localUrl(host, portOf((await known).address()));
    } catch (error) {
      this.#sockets.delete(host);
      throw error;
    }
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#sockets.values());
    const sockets = opened.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    await Promise.all(sockets.map(closeSocket));
  }

  async #open(host: string): Promise<Server> {
    const { port } = this.#own;
    try {
      return await openSocket(this.#app.server, { host, port, backlog });
    } catch (error) {
      if (systemErrorCode(error) !== "EADDRINUSE") throw error;
      return openSocket(this.#app.server, { host, port: 0, backlog });
    }
  }
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

/** Returns whether a host name leads every machine to itself. */
export function isOwnAddress(hostname: string): boolean {
  return /^(?:localhost|.*\.localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

function localUrl(host: string, port: number): string {
  const name = isAnyAddress(host) ? "127.0.0.1" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}
