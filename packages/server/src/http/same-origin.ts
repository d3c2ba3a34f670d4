import type { FastifyRequest } from "fastify";

import { HttpError } from "./errors.ts";

/**
 * Whether a request comes from a page of another site: it may not open our sockets nor change anything with the visitor's
 * cookie (`rest.md` section 1.8). Programs send no `Origin`.
 */
export function isFromOtherSite({ headers, method, host }: FastifyRequest): boolean {
  const { origin } = headers;
  if (origin === undefined) return false;
  const isSafe = method === "GET" || method === "HEAD";
  if (isSafe && headers.upgrade === undefined) return false;
  const originHost = URL.canParse(origin) ? new URL(origin).host : "";
  // The host that the visitor asked for, also where a trusted proxy asks for another one.
  return originHost.toLowerCase() !== host.toLowerCase();
}

export function otherSite({ headers }: FastifyRequest): HttpError {
  return new HttpError(403, `Origin "${headers.origin ?? ""}" is not this server.`);
}
