import type { IncomingMessage, Server } from "node:http";

import type { FastifyInstance } from "fastify";

/**
 * Gives a request's body a time to arrive. That of Node.js counts for every request of a server, and some that do not reach
 * Fastify take longer: an app of a workspace may be sent a large file. The header has a time of its own.
 */
export function limitBodyTime(
  { server }: Pick<FastifyInstance, "server">,
  timeoutMs: number,
): void {
  server.prependListener("request", (request: IncomingMessage) => {
    if (!hasBody(request)) return;
    const timer = setTimeout(() => refuse(server, request), timeoutMs);
    request.once("close", () => clearTimeout(timer));
  });
}

/** Returns whether a request has a body (RFC 9112 section 6). */
export function hasBody({ headers }: Pick<IncomingMessage, "headers">): boolean {
  const length = headers["content-length"];
  return headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

/** Answers as Node.js does for a request that is too slow. */
function refuse(server: Server, { complete, socket }: IncomingMessage): void {
  if (complete) return;
  const error = Object.assign(new Error("Request timeout"), { code: "ERR_HTTP_REQUEST_TIMEOUT" });
  if (!server.emit("clientError", error, socket)) socket.destroy();
}
