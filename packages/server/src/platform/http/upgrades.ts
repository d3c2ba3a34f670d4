import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { hasBody } from "./bodies.ts";
import { HttpError } from "./errors.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** True if the route accepts WebSockets. */
    readonly takesSockets?: boolean;
  }
}

/**
 * Returns whether a request for an upgrade is treated as one. Others may be answered as if they had not asked
 * (RFC 9110 section 7.8), and are: only a GET of HTTP/1.1 can become a WebSocket, and one that announces a body comes
 * before that body (RFC 9112 section 6), not before another protocol.
 */
export function isUpgrade(request: IncomingMessage): boolean {
  const { method, httpVersion, headers } = request;
  const isAsked = method === "GET" && httpVersion !== "1.0" && headers.upgrade !== undefined;
  return isAsked && !hasBody(request);
}

/** A request for an upgrade that was not answered yet. */
interface PendingUpgrade {
  /** The bytes that came with the request. */
  readonly head: Buffer;
  clearTimeout(): void;
}

const upgrades = new WeakMap<IncomingMessage, PendingUpgrade>();

/**
 * Frees the connection of every upgrade that does not become a WebSocket: after a refusal once the answer has been
 * sent, and without an answer after `timeoutMs`. Node.js has released such a connection, and its client may never close
 * it.
 *
 * `@fastify/websocket` closes it after the answers that Fastify's hooks see, provided that its own hooks were added
 * first. Answers that bypass the hooks need `freeAfterAnswer`.
 */
export function freeRefusedUpgrades(app: FastifyInstance, timeoutMs: number): void {
  const responses = new WeakMap<IncomingMessage, ServerResponse>();
  app.server.prependListener(
    "upgrade",
    (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const timer = setTimeout(() => socket.destroy(), timeoutMs);
      const clear = (): void => clearTimeout(timer);
      socket.once("close", clear);
      upgrades.set(request, {
        head,
        clearTimeout: () => {
          clear();
          socket.off("close", clear);
        },
      });
    },
  );
  app.websocketServer.on("connection", (_socket, request) => {
    upgrades.get(request)?.clearTimeout();
    // The request and its response are not retained for the life of the WebSocket.
    responses.get(request)?.detachSocket(request.socket);
  });
  app.addHook("onRequest", async ({ ws, raw }, reply) => {
    if (!ws) return;
    reply.raw.shouldKeepAlive = false;
    responses.set(raw, reply.raw);
  });
  app.addHook("preValidation", async (request) => {
    if (!request.ws || request.is404 || request.routeOptions.config.takesSockets === true) return;
    throw new HttpError(400, "This route does not accept WebSockets.");
  });
}

/**
 * Takes the connection of an upgrade to a protocol other than WebSocket: the caller answers, and closes it. Reading
 * from it yields the bytes that came with the request first.
 */
export function takeUpgrade({ raw }: FastifyRequest, reply: FastifyReply): Socket {
  const { socket } = raw;
  reply.hijack();
  upgrades.get(raw)?.clearTimeout();
  reply.raw.detachSocket(socket);
  socket.setTimeout(0);
  const { head } = upgrades.get(raw) ?? { head: Buffer.alloc(0) };
  if (head.length > 0) socket.unshift(head);
  return socket;
}

/** Frees the connection of a request once the answer has been sent, if it is an upgrade. */
export function freeAfterAnswer({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (!isUpgrade(raw)) return;
  reply.raw.shouldKeepAlive = false;
  reply.raw.once("finish", () => raw.socket.destroy());
}
