import type { FastifyInstance } from "fastify";

import { keyLifetimes } from "../../platform/auth/service.ts";
import { sendPage } from "../../platform/http/html-page.ts";
import { addLogInForm, type FormNeeds } from "./log-in-form.ts";
import { keyPage } from "./log-in-page.ts";

/**
 * Adds the page to which the command and the editors send people (docs/protocol/clients.md §1.2): it asks for email and
 * password, and shows a key.
 */
export function addCliAuthPage(app: FastifyInstance, needs: FormNeeds): void {
  addLogInForm(app, needs, {
    path: "/cli-auth",
    purpose: "Log in to get a key for the command or the editor that sent you here.",
    lifetimeSeconds: keyLifetimes.commandSession,
    onLogIn: ({ token, username }, _request, reply) =>
      sendPage(reply, 200, keyPage(token, username)),
  });
}
