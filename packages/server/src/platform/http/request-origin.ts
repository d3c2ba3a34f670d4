import { isIP } from "node:net";

import type { FastifyRequest } from "fastify";

import type { Refusal } from "../errors/errors.ts";
import { withoutMapping } from "../fields/address.ts";
import { statusOf } from "./error-answer.ts";

/** The origin of a request, as the audit trail records it. */
export interface RequestOrigin {
  readonly requestId: string;
  /** The client's address; empty if unknown. */
  readonly ip: string;
  readonly userAgent: string;
  /** The status of the answer if the request is not refused. */
  readonly status: number;
}

const maxUserAgentLength = 512;

/** Returns the origin of a request; `status` is the route's answer on success. */
export function originOf(request: FastifyRequest, status: number): RequestOrigin {
  const userAgent = (request.headers["user-agent"] ?? "").slice(0, maxUserAgentLength);
  return { requestId: request.id, ip: clientAddress(request), userAgent, status };
}

/** Returns the origin of a request that is refused. */
export function refusedOrigin(origin: RequestOrigin, refusal: Refusal): RequestOrigin {
  return { ...origin, status: statusOf(refusal) };
}

/**
 * Returns the client's address: the remote end of the connection, unless that is a trusted proxy
 * (`docs/configuration.md`); then the last address in `X-Forwarded-For` that does not belong to a trusted proxy.
 * Invalid addresses there are not trusted.
 */
export function clientAddress(request: FastifyRequest): string {
  const told = withoutMapping(request.ip);
  return isIP(told) === 0 ? withoutMapping(request.socket.remoteAddress ?? "") : told;
}
