import type { FastifyRequest } from "fastify";

export const sessionCookie = "coder_session_token";

/** The token of a request and its location; the first location that has one wins (docs/protocol/rest.md §1.2). */
export interface FoundToken {
  readonly token: string;
  readonly isCookie: boolean;
}

export function findToken(request: FastifyRequest): FoundToken | undefined {
  const query = new URLSearchParams(request.raw.url?.split("?", 2)[1] ?? "");
  const cookie = readCookie(request.headers.cookie ?? "", sessionCookie);
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

/** Returns the value of a cookie in the header `Cookie`. */
export function readCookie(header: string, name: string): string | undefined {
  for (const pair of header.split(";")) {
    const equals = pair.indexOf("=");
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}
