import { stringifySetCookie } from "cookie";
import type { FastifyReply, FastifyRequest } from "fastify";

import { hostCookieName } from "../../platform/http/cookies.ts";
import { needsHttps } from "../../platform/http/same-origin.ts";
import { sessionCookie } from "../../platform/http/token.ts";

/** Gives a browser the token of its session; an empty one takes it away. */
export function setSessionCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  { token, accessUrl }: { readonly token: string; readonly accessUrl: string },
): void {
  const secure = needsHttps(request, accessUrl);
  const cookie = stringifySetCookie({
    name: hostCookieName(sessionCookie, secure),
    value: token,
    path: "/",
    httpOnly: true,
    sameSite: "lax",
    secure,
    ...(token === "" ? { maxAge: 0 } : {}),
  });
  reply.header("Set-Cookie", cookie);
}
