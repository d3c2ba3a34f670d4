import { stringifySetCookie } from "cookie";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { keyLifetimes } from "../../platform/auth/session-key.ts";
import { localPath } from "../../platform/fields/local-path.ts";
import { hostCookieName } from "../../platform/http/cookies.ts";
import { sendPage } from "../../platform/http/html-page.ts";
import { needsHttps } from "../../platform/http/same-origin.ts";
import { sessionCookie } from "../../platform/http/token.ts";
import { cliKeyPath } from "./cli-key-page.ts";
import { addLogInForm, type FormNeeds, keyPage, loggedInPage } from "./log-in-form.ts";

/**
 * Adds the page at which a browser logs in and continues to the path in `redirect`, such as an app of a workspace. A page leads
 * there rather than a redirect: browsers forbid redirects of a form to another host, and an app may have its own.
 */
export function addLogInPage(app: FastifyInstance, needs: FormNeeds): void {
  const pathAfter = (request: FastifyRequest): string => {
    const { searchParams } = new URL(request.url, "http://server");
    return localPath(searchParams.get("redirect") ?? "/");
  };
  addLogInForm(app, needs, {
    path: "/login",
    purpose: "Log in to continue.",
    lifetimeSeconds: keyLifetimes.browserSession,
    pathAfter,
    onLogIn: ({ token, username }, request, reply) => {
      setSessionCookie(request, reply, { token, accessUrl: needs.accessUrl() });
      const path = pathAfter(request);
      reply.header("Refresh", `0; url=${path}`);
      return sendPage(reply, 200, loggedInPage(path, username));
    },
  });
}

/**
 * Adds the page that the command and editors open (docs/protocol/clients.md §1.2): it asks for email and password, and shows
 * a key.
 */
export function addCliAuthPage(app: FastifyInstance, needs: FormNeeds): void {
  addLogInForm(app, needs, {
    path: "/cli-auth",
    purpose: "Log in to get a key for the command or the editor that sent you here.",
    lifetimeSeconds: keyLifetimes.commandSession,
    pathAfter: () => cliKeyPath,
    onLogIn: ({ token, username }, _request, reply) =>
      sendPage(reply, 200, keyPage(token, username)),
  });
}

/** Sets the cookie with the token of a browser's session; an empty token removes it. */
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
