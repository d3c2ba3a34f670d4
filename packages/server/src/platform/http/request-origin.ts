import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

import { all, compile } from "@fastify/proxy-addr";
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

/** A request as its client made it, before any trusted proxy passed it on. */
export interface ClientView {
  /** The client's address; empty if unknown. */
  readonly address: string;
  readonly protocol: "http" | "https";
  /** The requested host with its port; empty if there is none. */
  readonly host: string;
  /** The value of `X-Forwarded-For` to pass on with the request: forged addresses are left out. */
  readonly forwardedFor: string;
}

export type ReadClientView = (request: IncomingMessage) => ClientView;

/** Returns the reader of requests that reach the server directly, or through proxies that are trusted. */
export function clientViews(trustedProxies: readonly string[]): ReadClientView {
  const trusts = compile([...trustedProxies]);
  const isTrusted = (address: string, hop: number): boolean => trusts(withoutMapping(address), hop);
  return (request) => {
    const { headers, socket } = request;
    const remote = withoutMapping(socket.remoteAddress ?? "");
    const isProxied = remote !== "" && isTrusted(remote, 0);
    // From this server's end of the connection to the first address that is not trusted.
    const chain = isProxied ? all(request, isTrusted).map(withoutMapping) : [remote];
    const addresses = chain.filter((address) => isIP(address) !== 0);
    const protocol = isProxied ? last(headers["x-forwarded-proto"]) : undefined;
    const host = isProxied ? last(headers["x-forwarded-host"]) : undefined;
    const isSecure = protocol === undefined ? "encrypted" in socket : protocol === "https";
    return {
      address: addresses.at(-1) ?? remote,
      protocol: isSecure ? "https" : "http",
      host: host ?? headers.host ?? "",
      forwardedFor: addresses.toReversed().join(", "),
    };
  };
}

/** Returns the entry that the nearest proxy added to a header. */
function last(header: string | readonly string[] | undefined): string | undefined {
  const entry = [header ?? []].flat().join(",").split(",").at(-1)?.trim();
  return entry === "" ? undefined : entry;
}
