import type { IncomingMessage } from "node:http";

import { isReservedCookie } from "./cookies.ts";
import { connectionFields } from "./request-headers.ts";

/** Header fields by which an app at the server's own origin would reach beyond its path. */
const originFields: ReadonlySet<string> = new Set([
  "alt-svc",
  "clear-site-data",
  "service-worker-allowed",
  "strict-transport-security",
]);

/** Header fields that mean nothing after a body, or decide who may read it (RFC 9110 section 6.5.1). */
const headerOnly =
  /^(?:access-control-.*|content-(?:encoding|length|range|type)|location|set-cookie|vary|www-authenticate)$/;

/** The isolation of an app from the origin that it is served at: its page has an origin that no other page has. */
const sandbox =
  "sandbox allow-downloads allow-forms allow-modals allow-popups allow-popups-to-escape-sandbox allow-scripts";

interface ViewedAs {
  /** The path that the app has at the server; empty for a host of its own. */
  readonly basePath: string;
  readonly isSandboxed: boolean;
  /** True if the app says itself which pages may read its responses. */
  readonly isCorsKept: boolean;
  /** Fields that the server adds, as names and values in turn. */
  readonly added: readonly string[];
}

/**
 * Returns the header of an app's response as its viewer gets it, as names and values in turn: without what concerns the
 * connection, and without what would reach beyond the app.
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
    if (basePath !== "" && originFields.has(field)) continue;
    const viewed = field === "set-cookie" ? viewedCookie(value, basePath) : value;
    if (viewed !== undefined) kept.push(name, viewed);
  }
  // Several policies all apply.
  if (isSandboxed) kept.push("Content-Security-Policy", sandbox);
  return [...kept, ...added];
}

/** Returns the fields after the body of an app's response: without what counts in a header only. */
export function viewedTrailers({
  rawTrailers,
  headers,
}: Pick<IncomingMessage, "rawTrailers" | "headers">): readonly [name: string, value: string][] {
  const dropped = connectionFields(headers.connection);
  const kept: [string, string][] = [];
  for (let index = 0; index + 1 < rawTrailers.length; index += 2) {
    const [name = "", value = ""] = rawTrailers.slice(index, index + 2);
    const field = name.toLowerCase();
    const isOfHeader = headerOnly.test(field) || originFields.has(field);
    if (!isOfHeader && !dropped.has(field)) kept.push([name, value]);
  }
  return kept;
}

/**
 * Returns a cookie as it is set: for the host of the app alone, or for its path; undefined for a cookie of the server.
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
