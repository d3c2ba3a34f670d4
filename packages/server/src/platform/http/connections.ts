import type { Socket } from "node:net";

import { compile } from "@fastify/proxy-addr";
import type { FastifyInstance } from "fastify";

import { limitVariable } from "../config/limits.ts";
import { addressKey, withoutMapping } from "../fields/address.ts";
import { plainAnswer } from "./error-answer.ts";
import { HttpError } from "./errors.ts";
import { OpenCounts, type OpenLimits } from "./open-counts.ts";
import { clientAddress } from "./request-origin.ts";

/** The time a refused client has to read the reason. */
const lingerMs = 1_000;
/** The maximum number of refused clients that may read at the same time; others are disconnected silently. */
const maxLingering = 256;

/** The open connections of the listener. */
export class Connections {
  readonly #counts: OpenCounts;
  readonly #open = new Set<Socket>();
  #lingering = 0;

  constructor(limits: OpenLimits) {
    this.#counts = new OpenCounts(limits);
  }

  /** Closes every connection, regardless of its use. */
  destroyAll(): void {
    for (const socket of this.#open) socket.destroy();
  }

  /** Returns whether the connection has a place; otherwise refuses and closes it. */
  admit(socket: Socket, address: string | undefined): boolean {
    this.#open.add(socket);
    const taken = this.#counts.take(address);
    const isAdmitted = typeof taken !== "string";
    socket.once("close", () => {
      this.#open.delete(socket);
      if (isAdmitted) taken[Symbol.dispose]();
    });
    if (!isAdmitted) this.#refuse(socket, tooMany(taken));
    return isAdmitted;
  }

  /** Answers before reading any request, and keeps reading for a while, so that the answer is not lost to a reset. */
  #refuse(socket: Socket, refusal: HttpError): void {
    socket.on("error", () => socket.destroy());
    if (this.#lingering >= maxLingering) {
      socket.destroy();
      return;
    }
    this.#lingering += 1;
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once("close", () => {
      this.#lingering -= 1;
      clearTimeout(timer);
    });
    socket.end(plainAnswer(refusal));
    socket.resume();
  }
}

/**
 * Limits connections by address and in total. Those of trusted proxies count in the total only; traffic through them
 * counts by the client's address for as long as a request or its stream lasts.
 */
export function limitConnections(
  app: FastifyInstance,
  limits: OpenLimits,
  trustedProxies: readonly string[],
): Connections {
  const connections = new Connections(limits);
  const trusts = compile([...trustedProxies]);
  const isProxy = (address: string): boolean => trusts(withoutMapping(address), 0);
  // Node.js starts reading requests in its own listener.
  const listeners = app.server.listeners("connection");
  app.server.removeAllListeners("connection");
  app.server.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    if (!connections.admit(socket, isProxy(address) ? undefined : address)) return;
    for (const listener of listeners) listener.call(app.server, socket);
  });
  const proxied = new OpenCounts({ ...limits, inAll: Infinity });
  app.addHook("onRequest", async (request, reply) => {
    if (!isProxy(request.socket.remoteAddress ?? "")) return;
    const taken = proxied.take(clientAddress(request));
    if (typeof taken === "string") throw tooMany(taken);
    // A response releases a connection that becomes a WebSocket (upgrades.ts).
    const carrier = request.ws ? request.raw.socket : reply.raw;
    carrier.once("close", () => taken[Symbol.dispose]());
  });
  return connections;
}

/**
 * Returns the client in whose turns a connection is read. All connections of an address share a client, but each
 * connection of a trusted proxy is a separate one.
 */
export function clientsOfConnections(
  trustedProxies: readonly string[],
): (socket: Socket) => string {
  const trusts = compile([...trustedProxies]);
  return ({ remoteAddress = "", remotePort }) =>
    trusts(withoutMapping(remoteAddress), 0)
      ? `${remoteAddress} ${remotePort}`
      : addressKey(remoteAddress);
}

function tooMany(full: "address" | "all"): HttpError {
  const name = full === "address" ? "maxConnectionsPerAddress" : "maxConnections";
  const whose = full === "address" ? "Your address" : "The server";
  return new HttpError(503, `${whose} has too many connections open.`, {
    detail: `Try again later. An administrator can raise ${limitVariable(name)}.`,
    headers: { "Retry-After": "30" },
  });
}
