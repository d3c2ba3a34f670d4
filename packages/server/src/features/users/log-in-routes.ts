import type { FastifyInstance } from "fastify";

import { keyLifetimes } from "../../platform/auth/service.ts";
import { sendPage } from "../../platform/http/html-page.ts";
import { localPath } from "../../platform/http/local-path.ts";
import { addLogInForm, type FormNeeds } from "./log-in-form.ts";
import { loggedInPage } from "./log-in-page.ts";
import { setSessionCookie } from "./session-cookie.ts";

/**
 * Adds the page at which a browser logs in, to continue to the path in `redirect`, such as an app of a workspace. It continues
 * from a page rather than by a redirect: browsers let a form lead to no other host, and an app may have one.
 */
export function addLogInPage(app: FastifyInstance, needs: FormNeeds): void {
  addLogInForm(app, needs, {
    path: "/login",
    purpose: "Log in to continue.",
    lifetimeSeconds: keyLifetimes.browserSession,
    onLogIn: ({ token, username }, request, reply) => {
      setSessionCookie(request, reply, { token, accessUrl: needs.accessUrl() });
      const { searchParams } = new URL(request.url, "http://server");
      const path = localPath(searchParams.get("redirect") ?? "/");
      reply.header("Refresh", `0; url=${path}`);
      return sendPage(reply, 200, loggedInPage(path, username));
    },
  });
}
