import { createHash } from "node:crypto";

import {
  cookieName,
  cookiePairs,
  cookieValues,
  hostCookieName,
} from "../../platform/http/cookies.ts";
import { sessionCookie } from "../../platform/http/token.ts";

/** The cookie with the decision about the requests to an app (docs/protocol/rest.md §5). */
export const signedAppTokenCookie = "coder_signed_app_token";
/** The cookie of a browser that is logging in at the host of an app. */
export const loginStateCookie = "slipway_app_login";

/** The beginnings of the names of cookies that are the server's alone. */
const reserved = [
  sessionCookie,
  signedAppTokenCookie,
  "coder_path_app_session_token",
  "coder_subdomain_app_session_token",
  "slipway_",
] as const;

/** Returns the name of the cookie with the login at the hosts of apps. */
export function appSessionCookie(wildcardHost: string): string {
  const hash = createHash("sha256").update(wildcardHost).digest("hex");
  return `coder_subdomain_app_session_token_${hash.slice(0, 32)}`;
}

/**
 * Returns the name of a cookie at the origin of an app: over https, one that no page of another app can set, unless the
 * cookie is for only one path of the server.
 */
export function appCookieName(name: string, { origin, basePath }: AppPlace): string {
  return hostCookieName(name, basePath === "" && origin.startsWith("https:"));
}

interface AppPlace {
  readonly origin: string;
  readonly basePath: string;
}

/** Returns whether a cookie is the server's, which apps neither see nor set. */
export function isReservedCookie(name: string): boolean {
  const plain = name.trim().replace(/^__(?:host|secure)-/i, "");
  return reserved.some((start) => plain.startsWith(start));
}

/** The maximum number of values of one name that are tried: an app may set cookies of that name in its page. */
const maxValues = 4;

/** Returns the first values of a cookie, in the order of the header. */
export function triedValues(header: string | undefined, name: string): readonly string[] {
  return cookieValues(header, name).slice(0, maxValues);
}

/** Returns a header of cookies without those of the server. */
export function withoutReserved(header: string): string {
  return cookiePairs(header)
    .filter((pair) => !isReservedCookie(cookieName(pair)))
    .map((pair) => pair.trim())
    .join("; ");
}
