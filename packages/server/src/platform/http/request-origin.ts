import { isIP } from "node:net";

import type { FastifyRequest } from "fastify";

/** Where a request came from, as the audit trail keeps it. */
export interface RequestOrigin {
  readonly requestId: string;
  /** The client's address; empty when it is not known. */
  readonly ip: string;
  readonly userAgent: string;
  /** The status of the answer, when nothing is refused. */
  readonly status: number;
}

const maxUserAgentLength = 512;

/** `status` is what the route answers when it does what is asked. */
export function originOf(request: FastifyRequest, status: number): RequestOrigin {
  const userAgent = (request.headers["user-agent"] ?? "").slice(0, maxUserAgentLength);
  return { requestId: request.id, ip: clientAddress(request), userAgent, status };
}

/**
 * The client's address: the other end of the connection, unless that is a trusted proxy (`docs/configuration.md`); then the
 * last address in `X-Forwarded-For` that is not a trusted proxy's. What is no address there is not believed.
 */
export function clientAddress(request: FastifyRequest): string {
  const told = withoutMapping(request.ip);
  return isIP(told) === 0 ? withoutMapping(request.socket.remoteAddress ?? "") : told;
}

/** An IPv4 address that a socket for both families shows as one of IPv6. */
export function withoutMapping(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}
