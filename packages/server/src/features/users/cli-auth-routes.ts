import { randomBytes, timingSafeEqual } from "node:crypto";

import { login, LoginRequest } from "@slipway/api";
import { parseCookie, stringifySetCookie } from "cookie";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { keyLifetimes } from "../../platform/auth/service.ts";
import { Forbidden, Invalid } from "../../platform/errors/errors.ts";
import { findAnswer } from "../../platform/http/error-answer.ts";
import { sendPage } from "../../platform/http/html-page.ts";
import type { RequestLimits } from "../../platform/http/request-limits.ts";
import { originOf } from "../../platform/http/request-origin.ts";
import { needsHttps } from "../../platform/http/same-origin.ts";
import { unstorableField } from "../../platform/http/storable-text.ts";
import { createValidator } from "../../platform/http/validation.ts";
import { keyPage, logInPage } from "./cli-auth-page.ts";
import { type Credentials, logIn, type LogInNeeds } from "./session-service.ts";

const path = "/cli-auth";
const formCookie = "slipway_form";
const formTokenBytes = 16;
/** The largest form, in bytes. */
const maxFormBytes = 4 * 1024;
/** Validates the form, which no hook of a route does. */
const isLogIn = createValidator().compile<Credentials>(LoginRequest);

/**
 * Adds the page to which the command and the editors send people (docs/protocol/clients.md §1.2): it asks for email and
 * password, and shows a key. It never reads a session, so that no other site can have a key made by sending a visitor
 * here; and the form is valid only with the cookie that came with it, so that nobody is logged in as somebody else.
 */
export function addCliAuthPage(
  app: FastifyInstance,
  needs: LogInNeeds & { readonly accessUrl: () => string },
  limits: RequestLimits,
): void {
  const sendForm = (request: FastifyRequest, reply: FastifyReply, form: Shown): FastifyReply => {
    const formToken = randomBytes(formTokenBytes).toString("base64url");
    const secure = needsHttps(request, needs.accessUrl());
    const cookie = { name: formCookie, value: formToken, path, httpOnly: true, secure };
    reply.header("Set-Cookie", stringifySetCookie({ ...cookie, sameSite: "strict" }));
    reply.header("Cache-Control", "no-store");
    return sendPage(reply, form.status, logInPage({ formToken, ...form }));
  };

  app.get(path, async (request, reply) => {
    limits.countPage(path, request, reply);
    return sendForm(request, reply, { status: 200, email: "", problem: undefined });
  });

  app.post(path, { bodyLimit: maxFormBytes, config: { rawBody: true } }, async (request, reply) => {
    const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    const form = new URLSearchParams(Buffer.from(bytes).toString("utf8"));
    const email = form.get("email") ?? "";
    try {
      const origin = originOf(request, 200);
      limits.count(login, request, reply, { address: origin.ip });
      if (!isOurForm(request, form.get("form_token") ?? "")) {
        throw new Forbidden("This form has expired. Try again.");
      }
      const credentials = { email, password: form.get("password") ?? "" };
      if (!isLogIn(credentials) || unstorableField(credentials) !== undefined) {
        throw new Invalid("Enter an email address and a password.");
      }
      const key = await logIn(needs, credentials, origin, keyLifetimes.commandSession);
      reply.header("Cache-Control", "no-store");
      return await sendPage(reply, 200, keyPage(key));
    } catch (error) {
      const answer = findAnswer(error);
      if (answer === undefined) throw error;
      const { status, headers, body } = answer;
      reply.headers(headers);
      const problem = [body.message, body.detail].filter(Boolean).join(" ");
      return sendForm(request, reply, { status, email, problem });
    }
  });
}

/** The form as shown: after a failed attempt with the email entered and the problem. */
interface Shown {
  readonly status: number;
  readonly email: string;
  readonly problem: string | undefined;
}

function isOurForm(request: FastifyRequest, formToken: string): boolean {
  const wanted = Buffer.from(parseCookie(request.headers.cookie ?? "")[formCookie] ?? "");
  const found = Buffer.from(formToken);
  return wanted.length > 0 && wanted.length === found.length && timingSafeEqual(wanted, found);
}
