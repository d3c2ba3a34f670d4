import type { IncomingMessage } from "node:http";

import { parseSessionToken } from "../../platform/auth/session-key.ts";
import type { ClientView } from "../../platform/http/request-origin.ts";
import { sessionCookie } from "../../platform/http/token.ts";
import { withoutReserved } from "./cookies.ts";

/** Header fields of one connection (RFC 9110 section 7.6.1). */
const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Header fields that the app gets even if the `Connection` field names them: without the length, a body would be read
 * as the next request.
 */
const endToEnd: ReadonlySet<string> = new Set(["host", "content-length"]);

/** Header fields that only the server reads, or writes. */
const ownFields: ReadonlySet<string> = new Set([
  "coder-session-token",
  "coder-external-proxy-token",
  "x-coder-bypass-ratelimit",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-forwarded-port",
  "x-forwarded-prefix",
  "x-real-ip",
]);

/** The query of the login at the host of an app (docs/protocol/rest.md §5). */
export const loginCodeParameter = "coder_application_connect_api_key_35e783";

/** The parameters of a query that only the server reads. */
const ownParameters: ReadonlySet<string> = new Set([sessionCookie, loginCodeParameter]);

interface ForwardedAs {
  readonly client: ClientView;
  /** The path of the app at the server; empty for an app with its own host. */
  readonly basePath: string;
  readonly isUpgrade: boolean;
}

/** Returns the names of the fields of a message that are for its connection only, in lower case. */
export function connectionFields(connection: string | undefined): ReadonlySet<string> {
  const named = (connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  return hopByHop.union(new Set(named)).difference(endToEnd);
}

/**
 * Returns the header of a request as its app gets it, as names and values in turn: without the fields of the connection
 * and the credentials of the viewer.
 */
export function forwardedHeaders(
  { rawHeaders, headers }: Pick<IncomingMessage, "rawHeaders" | "headers">,
  { client, basePath, isUpgrade }: ForwardedAs,
): string[] {
  const dropped = connectionFields(headers.connection);
  const kept: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const [name = "", value = ""] = rawHeaders.slice(index, index + 2);
    const field = name.toLowerCase();
    if (dropped.has(field) || ownFields.has(field)) continue;
    const forwarded = forwardedValue(field, value, client);
    if (forwarded !== undefined) kept.push(name, forwarded);
  }
  kept.push("X-Forwarded-For", client.forwardedFor);
  kept.push("X-Forwarded-Host", client.host, "X-Forwarded-Proto", client.protocol);
  if (basePath !== "") kept.push("X-Forwarded-Prefix", basePath);
  if (headers["transfer-encoding"] !== undefined) kept.push("Transfer-Encoding", "chunked");
  if (isUpgrade) kept.push("Connection", "Upgrade", "Upgrade", headers.upgrade ?? "");
  else if (wantsTrailers({ headers })) kept.push("TE", "trailers", "Connection", "TE");
  return kept;
}

/** Returns whether a client reads the fields after a body (RFC 9110 section 10.1.4). */
export function wantsTrailers({ headers: { te = "" } }: Pick<IncomingMessage, "headers">): boolean {
  return /(?:^|,)\s*trailers\s*(?:[;,]|$)/i.test(String(te));
}

/** Returns the value of a field for the app; undefined if nothing of it is left. */
function forwardedValue(field: string, value: string, { host }: ClientView): string | undefined {
  if (field === "host") return host;
  if (field === "cookie") return withoutReserved(value) || undefined;
  if (field === "authorization") return bearerToken(value) === undefined ? value : undefined;
  return value;
}

/** Returns the session token of an `Authorization` header; undefined for credentials that an app may have asked for. */
export function bearerToken(header: string | undefined): string | undefined {
  const token = /^bearer\s+(\S+)\s*$/i.exec(header ?? "")?.[1];
  return token === undefined || "problem" in parseSessionToken(token) ? undefined : token;
}

/** Returns a query without parameters that only the server reads; with its `?`, or empty. */
export function withoutOwnParameters(query: string): string {
  if (query === "") return "";
  const kept = query
    .slice(1)
    .split("&")
    .filter((pair) => !ownParameters.has(decodeName(pair)));
  return kept.length === 0 || kept.join("&") === "" ? "" : `?${kept.join("&")}`;
}

function decodeName(pair: string): string {
  return new URLSearchParams(pair).keys().next().value ?? "";
}
