import type { IncomingMessage } from "node:http";

import { noErrorLogging } from "../../platform/http/html-page.ts";
import { isReservedCookie } from "./cookies.ts";
import { connectionFields } from "./request-headers.ts";

/**
 * The header fields that an app may set at the server's own origin, besides custom ones that begin with `X-`: they
 * concern its response, or its page, and nothing else of the origin. Browsers learn new fields for whole origins every
 * year (`NEL`, `Accept-CH`, `Use-As-Dictionary`, …), so the allowed ones are listed.
 */
const pathAppFields: ReadonlySet<string> = new Set([
  "accept-patch",
  "accept-post",
  "accept-ranges",
  "age",
  "allow",
  "authentication-info",
  "cache-control",
  "content-digest",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-range",
  "content-security-policy",
  "content-type",
  "cross-origin-embedder-policy",
  "cross-origin-opener-policy",
  "cross-origin-resource-policy",
  "date",
  "dav",
  "deprecation",
  "digest",
  "docker-distribution-api-version",
  "docker-experimental",
  "etag",
  "expires",
  "grpc-message",
  "grpc-status",
  "last-modified",
  "link",
  "location",
  "lock-token",
  "mcp-protocol-version",
  "mcp-session-id",
  "ms-author-via",
  "permissions-policy",
  "pragma",
  "preference-applied",
  "ratelimit",
  "ratelimit-limit",
  "ratelimit-policy",
  "ratelimit-remaining",
  "ratelimit-reset",
  "referrer-policy",
  "refresh",
  "repr-digest",
  "retry-after",
  "sec-websocket-accept",
  "sec-websocket-extensions",
  "sec-websocket-protocol",
  "sec-websocket-version",
  "server",
  "server-timing",
  "set-cookie",
  "sourcemap",
  "sunset",
  "timing-allow-origin",
  "tus-extension",
  "tus-max-size",
  "tus-resumable",
  "tus-version",
  "upload-expires",
  "upload-length",
  "upload-offset",
  "vary",
  "via",
  "warning",
  "www-authenticate",
]);

/** Header fields that a reverse proxy in front of the server would treat as the server's instructions. */
const proxyFields = /^x-(?:accel-(?!buffering$)|lighttpd-|reproxy-|sendfile)/;

/** Header fields that mean nothing after a body, or decide who may read it (RFC 9110 section 6.5.1). */
const headerOnly =
  /^(?:access-control-.*|content-(?:encoding|length|range|type)|location|set-cookie|vary|www-authenticate)$/;

/** The isolation of an app from the origin that it is served at: its page has an origin that no other page has. */
const sandbox =
  "sandbox allow-downloads allow-forms allow-modals allow-popups allow-popups-to-escape-sandbox allow-scripts";

interface ViewedAs {
  /** The path of the app at the server; empty for an app with its own host. */
  readonly basePath: string;
  readonly isSandboxed: boolean;
  /** True if the app itself decides which pages may read its responses. */
  readonly isCorsKept: boolean;
  /** Fields that the server adds, as names and values in turn. */
  readonly added: readonly string[];
}

/**
 * Returns the header of an app's response as its viewer gets it, as names and values in turn: without the fields of the
 * connection, and those that would reach beyond the app.
 */
export function viewedHeaders(
  { rawHeaders, headers }: Pick<IncomingMessage, "rawHeaders" | "headers">,
  { basePath, isSandboxed, isCorsKept, added }: ViewedAs,
): string[] {
  const dropped = connectionFields(headers.connection);
  const kept: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const [name = "", value = ""] = rawHeaders.slice(index, index + 2);
    const field = name.toLowerCase();
    if (dropped.has(field)) continue;
    if (!isCorsKept && field.startsWith("access-control-")) continue;
    if (proxyFields.test(field) || (basePath !== "" && !isOfPathApp(field))) continue;
    const viewed = field === "set-cookie" ? viewedCookie(value, basePath) : value;
    if (viewed !== undefined) kept.push(name, viewed);
  }
  // Several policies all apply.
  if (isSandboxed) kept.push("Content-Security-Policy", sandbox);
  if (basePath !== "") kept.push("NEL", noErrorLogging);
  return [...kept, ...added];
}

function isOfPathApp(field: string): boolean {
  return pathAppFields.has(field) || field.startsWith("x-");
}

/** Returns the fields after the body of an app's response, without those that count only in a header. */
export function viewedTrailers({
  rawTrailers,
  headers,
}: Pick<IncomingMessage, "rawTrailers" | "headers">): readonly [name: string, value: string][] {
  const dropped = connectionFields(headers.connection);
  const kept: [string, string][] = [];
  for (let index = 0; index + 1 < rawTrailers.length; index += 2) {
    const [name = "", value = ""] = rawTrailers.slice(index, index + 2);
    const field = name.toLowerCase();
    const isKept = isOfPathApp(field) && !headerOnly.test(field) && !proxyFields.test(field);
    if (isKept && !dropped.has(field)) kept.push([name, value]);
  }
  return kept;
}

/**
 * Returns a cookie as the viewer gets it: only for the host of the app, or its path; undefined for one of the server.
 */
export function viewedCookie(cookie: string, basePath: string): string | undefined {
  const [pair = "", ...attributes] = cookie.split(";");
  // Browsers send a cookie without a name as its value alone, which may look like another one.
  const [name = ""] = pair.replace(/^[\s=]+/, "").split("=", 1);
  if (isReservedCookie(name)) return undefined;
  const kept = attributes.filter((attribute) => attributeName(attribute) !== "domain");
  if (basePath === "") return [pair, ...kept].join(";");
  const path = kept.findLast((attribute) => attributeName(attribute) === "path");
  const value = path?.slice(path.indexOf("=") + 1).trim() ?? "";
  const below = value.startsWith("/") ? value : "/";
  const others = kept.filter((attribute) => attributeName(attribute) !== "path");
  return [pair, ...others, ` Path=${basePath}${below}`].join(";");
}

function attributeName(attribute: string): string {
  return (attribute.split("=", 1)[0] ?? "").trim().toLowerCase();
}
