import type { IncomingHttpHeaders } from "node:http";

import { SeveralSessions } from "../errors/errors.ts";
import { cookieValues, deletedCookies, hostCookieName } from "./cookies.ts";

export const sessionCookie = "coder_session_token";

/** The token of a request and its location; the first location that has one wins (docs/protocol/rest.md §1.2). */
export interface FoundToken {
  readonly token: string;
  readonly isCookie: boolean;
}

/** The parts of a request that may have a token. */
interface TokenCarrier {
  readonly headers: IncomingHttpHeaders;
  readonly raw: { readonly url?: string | undefined };
}

/** Returns the token of a request; `isHttps` says whether its client uses https. Throws `SeveralSessions`. */
export function findToken(request: TokenCarrier, isHttps: boolean): FoundToken | undefined {
  const { headers, raw } = request;
  const cookie = findSessionCookie({ headers, url: raw.url }, isHttps);
  if (cookie !== undefined) return { token: cookie, isCookie: true };
  const token = tokenBeside(request);
  return token === undefined ? undefined : { token, isCookie: false };
}

/** Returns the token that a request claims to have, for its rate, before anything is checked. */
export function claimedToken(request: TokenCarrier): string | undefined {
  const names = [hostCookieName(sessionCookie, true), sessionCookie];
  const [cookie] = names.flatMap((name) => cookieValues(request.headers.cookie, name));
  return cookie ?? tokenBeside(request);
}

/** Returns the token of a request from anywhere but a cookie. */
function tokenBeside({ headers, raw }: TokenCarrier): string | undefined {
  const search = raw.url?.split("?", 2)[1];
  // Few requests have a query, and parsing even an empty one takes microseconds.
  const query = search === undefined ? undefined : new URLSearchParams(search);
  const bearer = /^bearer\s+(.+)$/i.exec(headers.authorization ?? "")?.[1]?.trim();
  const places = [
    query?.get(sessionCookie),
    headers["coder-session-token"],
    bearer,
    query?.get("access_token")?.trim(),
  ];
  const token = places.find((place) => typeof place === "string" && place !== "");
  return typeof token === "string" ? token : undefined;
}

/**
 * Returns the token of the session cookie. The page of an app at a sibling of the server's name can set a cookie of
 * any plain name for the server, before ours in the header: over https, browsers therefore keep ours under a name
 * that no other host can set, and none of several sessions is accepted. Programs keep no cookies of pages; stock ones
 * up to 2.31 send the plain name. Throws `SeveralSessions`.
 */
export function findSessionCookie(
  { headers, url = "" }: BrowserRequest,
  isHttps: boolean,
): string | undefined {
  const { cookie, host = "" } = headers;
  if (cookie === undefined) return undefined;
  const own = hostCookieName(sessionCookie, isHttps);
  const names = isBrowser(headers) ? [own] : [...new Set([own, sessionCookie])];
  const [token, ...others] = new Set(names.flatMap((name) => cookieValues(cookie, name)));
  if (others.length > 0) throw new SeveralSessions(deletedCookies([own], { host, url }));
  return token;
}

interface BrowserRequest {
  readonly headers: IncomingHttpHeaders;
  readonly url?: string | undefined;
}

/** Returns whether a browser makes a request: each of them sends one of these fields, whatever page makes it. */
function isBrowser(headers: IncomingHttpHeaders): boolean {
  const { origin, "sec-fetch-mode": mode, "user-agent": agent = "" } = headers;
  return origin !== undefined || mode !== undefined || agent.startsWith("Mozilla/");
}
