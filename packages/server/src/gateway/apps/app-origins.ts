import type { IncomingMessage } from "node:http";

import { type WildcardAccessUrl, wildcardPart } from "../../platform/config/wildcard-access-url.ts";
import { isFromOtherSite } from "../../platform/http/same-origin.ts";
import { type AppAddress, parseAppHost } from "./app-address.ts";

interface OriginRules {
  readonly wildcard: WildcardAccessUrl | undefined;
  /** The origin at which the app is opened. */
  readonly ownOrigin: string;
  readonly address: AppAddress;
}

/**
 * Returns the origin of a request if that is another app of the same user, whose page may then read the response
 * (docs/protocol/rest.md §5); undefined for all others.
 */
export function siblingOrigin(
  { headers: { origin } }: Pick<IncomingMessage, "headers">,
  { wildcard, ownOrigin, address }: OriginRules,
): string | undefined {
  if (wildcard === undefined || address.access === "path" || origin === undefined) return undefined;
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  const own = new URL(ownOrigin);
  if (url?.origin !== origin || url.protocol !== own.protocol || url.port !== own.port) {
    return undefined;
  }
  const part = wildcardPart(wildcard, url.host);
  const sibling = part === undefined ? undefined : parseAppHost(part);
  return sibling?.username === address.username ? origin : undefined;
}

/**
 * Returns whether the page of another site makes a request that may change something, with a cookie that the browser
 * adds by itself.
 */
export function isForeign(request: IncomingMessage, rules: OriginRules): boolean {
  const { protocol, host } = new URL(rules.ownOrigin);
  const { headers, method = "GET" } = request;
  const asked = {
    headers,
    method,
    protocol: protocol === "https:" ? "https" : "http",
    host,
  } as const;
  return isFromOtherSite(asked, rules.ownOrigin) && siblingOrigin(request, rules) === undefined;
}

/** Returns whether a request only asks whether another page may make one. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === "OPTIONS" && headers["access-control-request-method"] !== undefined;
}

/**
 * Returns the fields that let another app of the same user read a response, as names and values in turn; for other
 * requests, the field that keeps a cache from using their responses for that app.
 */
export function sharedWith(origin: string | undefined, request: IncomingMessage): string[] {
  if (origin === undefined) return ["Vary", "Origin"];
  const fields = [
    "Access-Control-Allow-Origin",
    origin,
    "Access-Control-Allow-Credentials",
    "true",
  ];
  if (!isPreflight(request)) return [...fields, "Vary", "Origin"];
  const { headers } = request;
  const method = headers["access-control-request-method"] ?? "";
  const names = headers["access-control-request-headers"];
  return [
    ...fields,
    "Access-Control-Allow-Methods",
    method,
    ...(names === undefined ? [] : ["Access-Control-Allow-Headers", names]),
    "Vary",
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
  ];
}
