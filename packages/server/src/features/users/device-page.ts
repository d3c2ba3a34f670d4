import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { findBrowserUser } from "../../platform/auth/browser-user.ts";
import { isOwnForm, sealFormNonce } from "../../platform/auth/sealed-notes.ts";
import type { KeyHolders } from "../../platform/auth/service.ts";
import { Refusal } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import type { Dashboard } from "../../platform/http/dashboard.ts";
import { escapeHtml, sendPage } from "../../platform/http/html-page.ts";
import type { RequestLimits } from "../../platform/http/request-limits.ts";
import { originOf } from "../../platform/http/request-origin.ts";
import { decideDeviceLogin, type DeviceNeeds, devicePagePath } from "./device-service.ts";
import { framePage, readForm } from "./log-in-form.ts";

export interface DevicePageNeeds extends DeviceNeeds {
  readonly holders: Pick<KeyHolders, "ofToken">;
  readonly requestLimits: RequestLimits;
  readonly accessUrl: () => string;
  /** Shows its own page instead; undefined if the server has none. */
  readonly dashboard: Dashboard | undefined;
}

/** The maximum number of requests per minute of one address: codes cannot be tried out. */
const requestsPerMinute = 20;
const maxCodeLength = 64;

interface Visit {
  readonly user: UserCaller;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Adds the page at which a person who is logged in approves the login of a program by its code. */
export function addDevicePage(app: FastifyInstance, needs: DevicePageNeeds): void {
  const visit =
    (answer: (at: Visit) => Promise<FastifyReply>) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      needs.requestLimits.countPage(devicePagePath, request, reply, requestsPerMinute);
      reply.header("Cache-Control", "no-store");
      const user = await findBrowserUser(needs, request);
      if (user !== undefined) {
        return answer({ user: { ...user, origin: originOf(request, 200) }, request, reply });
      }
      const query = new URLSearchParams({ redirect: request.url }).toString();
      return reply.redirect(`/login?${query}`, 303);
    };
  const { dashboard, requestLimits } = needs;
  const show = visit((at) => {
    const { searchParams } = new URL(at.request.url, "http://server");
    return ask(needs, at, { code: searchParams.get("code") ?? "", problem: undefined });
  });
  app.get(devicePagePath, async (request, reply) => {
    if (dashboard === undefined) return show(request, reply);
    requestLimits.countPage(devicePagePath, request, reply);
    return dashboard.sendPage(request, reply);
  });
  app.post(
    devicePagePath,
    { config: { rawBody: true } },
    visit((at) => approve(needs, at)),
  );
}

async function approve(needs: DevicePageNeeds, at: Visit): Promise<FastifyReply> {
  const { user, request, reply } = at;
  const form = readForm(request);
  const code = form.get("code") ?? "";
  const nonce = form.get("nonce") ?? "";
  if (!(await isOwnForm(needs.notes, user, { path: devicePagePath, nonce }))) {
    return ask(needs, at, { code, problem: "This form has expired. Try again." });
  }
  try {
    await decideDeviceLogin(needs, user, code, "approved");
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const isWrong = error.code === "invalid";
    const problem = isWrong
      ? "This is not a code of this server. Check it for typing errors."
      : [error.message, error.detail].join(" ");
    return ask(needs, at, { code, problem });
  }
  return sendPage(reply, 200, approvedPage(user.username));
}

interface Question {
  readonly code: string;
  readonly problem: string | undefined;
}

async function ask(
  { notes }: DevicePageNeeds,
  { user, reply }: Visit,
  { code, problem }: Question,
): Promise<FastifyReply> {
  const nonce = await sealFormNonce(notes, user, devicePagePath);
  const status = problem === undefined ? 200 : 400;
  const alert =
    problem === undefined ? "" : `<p role="alert"><strong>${escapeHtml(problem)}</strong></p>\n`;
  return sendPage(
    reply,
    status,
    framePage(`${alert}<p>You are signed in as <strong>${escapeHtml(user.username)}</strong>.</p>
<p>A program wants to log in as you. Approve it only if you have just started the login yourself, and the program shows this code. Nobody else ever needs a code from you.</p>
<form method="post" action="${devicePagePath}">
<input type="hidden" name="nonce" value="${escapeHtml(nonce)}">
<label>Code <input name="code" autocomplete="off" spellcheck="false" required value="${escapeHtml(code.slice(0, maxCodeLength))}"></label>
<button>Approve</button>
</form>`),
  );
}

function approvedPage(username: string): string {
  return framePage(
    `<p>The program is logged in as <strong>${escapeHtml(username)}</strong>. You can close this page.</p>`,
  );
}
