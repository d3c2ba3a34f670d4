import { randomBytes, timingSafeEqual } from "node:crypto";

import { login } from "@slipway/api/users/routes";
import { LoginRequest } from "@slipway/api/users/user";
import { parseCookie, stringifySetCookie } from "cookie";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { Forbidden, Invalid } from "../../platform/errors/errors.ts";
import { unstorableField } from "../../platform/fields/storable-text.ts";
import { createValidator } from "../../platform/fields/validation.ts";
import type { Dashboard } from "../../platform/http/dashboard.ts";
import { findAnswer } from "../../platform/http/error-answer.ts";
import { escapeHtml, htmlPage, sendPage } from "../../platform/http/html-page.ts";
import type { RequestLimits } from "../../platform/http/request-limits.ts";
import { originOf } from "../../platform/http/request-origin.ts";
import { needsHttps } from "../../platform/http/same-origin.ts";
import { type Credentials, logIn, type LogInNeeds, type NewSession } from "./session-service.ts";

const formCookie = "slipway_form";
const formTokenBytes = 16;
/** The largest form, in bytes. */
const maxFormBytes = 4 * 1024;
/** Validates the form, because the path is not a route of the contract. */
const isLogIn = createValidator().compile<Credentials>(LoginRequest);

/** A page with the form. */
interface FormPage {
  readonly path: string;
  /** The reason to log in here. */
  readonly purpose: string;
  /** The lifetime of the session. */
  readonly lifetimeSeconds: number;
  /** Returns the path to which a provider that the visitor chooses leads back. */
  readonly pathAfter: (request: FastifyRequest) => string;
  /** Answers a successful login. */
  readonly onLogIn: (
    session: NewSession,
    request: FastifyRequest,
    reply: FastifyReply,
  ) => FastifyReply;
}

/** The providers that a form offers besides the password. */
export interface ProviderChoices {
  readonly list: readonly {
    readonly displayName: string;
    /** The address that begins a login at the provider, to which `redirect` may be added. */
    readonly path: string;
  }[];
  /** Returns the text of a failed login at a provider, which the address of the page tells; undefined if there is none. */
  readonly problemOf: (search: URLSearchParams) => string | undefined;
}

export type FormNeeds = LogInNeeds & {
  readonly accessUrl: () => string;
  readonly limits: RequestLimits;
  /** Shows the forms instead; undefined if the server has none. */
  readonly dashboard: Dashboard | undefined;
  readonly choices: ProviderChoices;
};

/**
 * Adds a page that asks for email and password. It reads no session, so another site gains nothing by sending a visitor
 * there; and the form is valid only with the cookie that came with it, so no visitor is logged in as someone else.
 */
export function addLogInForm(app: FastifyInstance, needs: FormNeeds, page: FormPage): void {
  const { path } = page;
  const { limits, accessUrl, dashboard, choices } = needs;
  const sendForm = (
    request: FastifyRequest,
    reply: FastifyReply,
    form: FormContent,
  ): FastifyReply => {
    const formToken = randomBytes(formTokenBytes).toString("base64url");
    const secure = needsHttps(request, accessUrl());
    const cookie = { name: formCookie, value: formToken, path, httpOnly: true, secure };
    reply.header("Set-Cookie", stringifySetCookie({ ...cookie, sameSite: "strict" }));
    reply.header("Cache-Control", "no-store");
    const { purpose } = page;
    const query = new URLSearchParams({ redirect: page.pathAfter(request) }).toString();
    const providers = choices.list.map(({ displayName, path: begin }) => ({
      displayName,
      url: `${begin}?${query}`,
    }));
    const action = request.url;
    return sendPage(
      reply,
      form.status,
      logInPage({ formToken, purpose, action, providers, ...form }),
    );
  };

  app.get(path, async (request, reply) => {
    limits.countPage(path, request, reply);
    if (dashboard !== undefined) return dashboard.sendPage(request, reply);
    const problem = choices.problemOf(new URL(request.url, "http://server").searchParams);
    return sendForm(request, reply, { status: 200, email: "", problem });
  });

  app.post(path, { bodyLimit: maxFormBytes, config: { rawBody: true } }, async (request, reply) => {
    const form = readForm(request);
    const email = form.get("email") ?? "";
    try {
      const session = await logInByForm(needs, { page, request, reply, form });
      reply.header("Cache-Control", "no-store");
      return await page.onLogIn(session, request, reply);
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

/** The content of the form: after a failed attempt the entered email and the problem. */
interface FormContent extends Pick<LogInForm, "email" | "problem"> {
  readonly status: number;
}

interface FormSubmission {
  readonly page: FormPage;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly form: URLSearchParams;
}

/** Returns the fields of a form that a browser sent. */
export function readForm({ body }: FastifyRequest): URLSearchParams {
  const bytes = body instanceof Uint8Array ? body : new Uint8Array();
  return new URLSearchParams(Buffer.from(bytes).toString("utf8"));
}

async function logInByForm(
  needs: FormNeeds,
  { page, request, reply, form }: FormSubmission,
): Promise<NewSession> {
  const origin = originOf(request, 200);
  needs.limits.count(login, request, reply, { address: origin.ip });
  if (!isOurForm(request, form.get("form_token") ?? "")) {
    throw new Forbidden("This form has expired. Try again.");
  }
  const credentials = { email: form.get("email") ?? "", password: form.get("password") ?? "" };
  if (!isLogIn(credentials) || unstorableField(credentials) !== undefined) {
    throw new Invalid("Enter an email address and a password.");
  }
  return logIn(needs, credentials, origin, page.lifetimeSeconds);
}

function isOurForm(request: FastifyRequest, formToken: string): boolean {
  const wanted = Buffer.from(parseCookie(request.headers.cookie ?? "")[formCookie] ?? "");
  const found = Buffer.from(formToken);
  return wanted.length > 0 && wanted.length === found.length && timingSafeEqual(wanted, found);
}

/** Returns a page about a login; `content` is HTML. */
export function framePage(content: string): string {
  return htmlPage("Log in to Slipway", `<h1>Slipway</h1>\n${content}`);
}

interface LogInForm {
  /** The token that comes back with the form and must match the visitor's cookie. */
  readonly formToken: string;
  readonly purpose: string;
  /** The path, with its query, to which the form is sent. */
  readonly action: string;
  readonly email: string;
  readonly problem: string | undefined;
  readonly providers: readonly { readonly displayName: string; readonly url: string }[];
}

/** Returns the login form; after a failed attempt with the problem. */
function logInPage({ formToken, purpose, action, email, problem, providers }: LogInForm): string {
  const links = providers.map(
    ({ displayName, url }) =>
      `<p><a href="${escapeHtml(url)}">Log in with ${escapeHtml(displayName)}</a></p>\n`,
  );
  return framePage(`<p>${escapeHtml(purpose)}</p>
${problem === undefined ? "" : `<p role="alert"><strong>${escapeHtml(problem)}</strong></p>`}
${links.join("")}<form method="post" action="${escapeHtml(action)}">
<input type="hidden" name="form_token" value="${escapeHtml(formToken)}">
<label>Email <input name="email" type="email" autocomplete="username" required value="${escapeHtml(email)}"></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>`);
}

/** Returns the page with the key to copy. Neither an address nor a cookie contains the key. */
export function keyPage(key: string, username: string): string {
  return framePage(`<p>You are signed in as <strong>${escapeHtml(username)}</strong>.</p>
<p>Copy this key and paste it where you were asked for it. It is shown once and works for a week.</p>
<p class="key"><code>${escapeHtml(key)}</code></p>`);
}

/** Returns the page that sends a logged-in browser to a path of the server. */
export function loggedInPage(path: string, username: string): string {
  return framePage(`<p>You are signed in as <strong>${escapeHtml(username)}</strong>.</p>
<p><a href="${escapeHtml(path)}">Continue</a></p>`);
}
