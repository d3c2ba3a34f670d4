import type { IncomingHttpHeaders } from "node:http";

import { parseCookie } from "cookie";

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

export function findToken(request: TokenCarrier): FoundToken | undefined {
  const query = new URLSearchParams(request.raw.url?.split("?", 2)[1] ?? "");
  const cookie = parseCookie(request.headers.cookie ?? "")[sessionCookie];
  if (cookie !== undefined && cookie !== "") return { token: cookie, isCookie: true };
  const bearer = /^bearer\s+(.+)$/i.exec(request.headers.authorization ?? "")?.[1]?.trim();
  const places = [
    query.get(sessionCookie),
    request.headers["coder-session-token"],
    bearer,
    query.get("access_token")?.trim(),
  ];
  const token = places.find((place) => typeof place === "string" && place !== "");
  return typeof token === "string" ? { token, isCookie: false } : undefined;
}
