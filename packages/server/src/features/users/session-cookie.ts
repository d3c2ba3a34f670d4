import { stringifySetCookie } from "cookie";
import type { FastifyReply, FastifyRequest } from "fastify";

import { needsHttps } from "../../platform/http/same-origin.ts";
import { sessionCookie } from "../../platform/http/token.ts";

/** Gives a browser the token of its session; an empty one takes it away. */
export function setSessionCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  { token, accessUrl }: { readonly token: string; readonly accessUrl: string },
): void {
  const cookie = stringifySetCookie({
    name: sessionCookie,
    value: token,
    path: "/",
    httpOnly: true,
    sameSite: "lax",
    secure: needsHttps(request, accessUrl),
    ...(token === "" ? { maxAge: 0 } : {}),
  });
  reply.header("Set-Cookie", cookie);
}
