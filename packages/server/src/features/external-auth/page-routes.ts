import type { FastifyInstance, FastifyReply } from "fastify";

import { isOwnForm, sealFormNonce } from "../../platform/auth/sealed-notes.ts";
import { Refusal } from "../../platform/errors/errors.ts";
import { sendPage } from "../../platform/http/html-page.ts";
import { ProviderError } from "../../platform/providers/provider-error.ts";
import { beginDevice, openDeviceCode, pendingDetails, redeemDevice } from "./device-service.ts";
import { beginLogIn, endLogIn } from "./log-in-cookie.ts";
import {
  actionOf,
  type ExternalAuthPageNeeds,
  pathOf,
  readForm,
  redirectOf,
  type Visit,
  visitor,
} from "./page-visit.ts";
import {
  type AccountForm,
  devicePage,
  failedPage,
  leavingPage,
  loggedInPage,
  logInPage,
} from "./pages.ts";
import type { Provider } from "./provider.ts";
import { completeLogIn, usableToken } from "./service.ts";

/** The largest form, in bytes. */
const maxFormBytes = 8 * 1024;
const pagePath = "/external-auth/:provider";
const callbackPath = `${pagePath}/callback`;
const devicePath = `${pagePath}/device`;

/**
 * Adds the pages at which people log in to providers (docs/external-authentication.md). Only a form of our own begins a
 * login, and only the session that began it completes it.
 */
export function addExternalAuthPages(app: FastifyInstance, needs: ExternalAuthPageNeeds): void {
  const visit = visitor(needs);
  const form = { bodyLimit: maxFormBytes, config: { rawBody: true } };
  app.get(
    pagePath,
    visit(pagePath, (at) => showState(needs, at)),
  );
  app.post(
    pagePath,
    form,
    visit(pagePath, (at) => ifOwnForm(needs, at, () => begin(needs, at))),
  );
  app.get(
    callbackPath,
    visit(callbackPath, (at) => complete(needs, at)),
  );
  app.post(
    devicePath,
    form,
    visit(devicePath, (at) => ifOwnForm(needs, at, () => redeem(needs, at))),
  );
}

/** Returns the form of a page for its visitor; the nonce is for all forms of the provider. */
async function formOf(
  { notes }: ExternalAuthPageNeeds,
  { user, request }: Visit,
  action: string,
): Promise<AccountForm> {
  const nonce = await sealFormNonce(notes, user, pathOf(request));
  return { action, username: user.username, nonce };
}

/** Answers a form, if its page was shown to the session that sends it. */
async function ifOwnForm(
  { notes }: ExternalAuthPageNeeds,
  at: Visit,
  answer: () => Promise<FastifyReply>,
): Promise<FastifyReply> {
  const { user, request } = at;
  const nonce = readForm(request).get("nonce") ?? "";
  if (await isOwnForm(notes, user, { path: pathOf(request), nonce })) return answer();
  const problem = `This form has expired, or was shown to another session. You are signed in as ${user.username}.`;
  return fail(at, problem, 403);
}

async function showState(needs: ExternalAuthPageNeeds, at: Visit): Promise<FastifyReply> {
  const { user, provider, request, reply, signal } = at;
  const token = await usableToken(needs, user.id, provider, signal);
  const form = await formOf(needs, at, actionOf(request));
  switch (token.type) {
    case "valid":
      return sendPage(
        reply,
        200,
        loggedInPage(provider, { ...form, login: token.user?.login ?? "" }),
      );
    case "log-in":
      return sendPage(reply, 200, logInPage(provider, { ...form, problem: token.reason }));
    case "unknown": {
      const problem = `${provider.displayName} cannot be asked now: ${token.reason}`;
      return sendPage(reply, 503, logInPage(provider, { ...form, problem }));
    }
  }
}

async function begin(needs: ExternalAuthPageNeeds, at: Visit): Promise<FastifyReply> {
  const { user, provider, request, reply, signal } = at;
  if (provider.deviceCodeUrl !== undefined) {
    return orProblem(at, async () => {
      const { device_code: deviceCode } = await beginDevice(needs, user.id, provider, signal);
      return showDevice(needs, at, deviceCode, undefined);
    });
  }
  const path = redirectOf(request) ?? pathOf(request);
  const begun = await beginLogIn(needs, user, provider, { path, request, reply });
  const url = await provider.client.logInUrl(begun);
  // A page rather than a redirect: browsers forbid redirects of a form to another host.
  reply.header("Refresh", `0; url=${url}`);
  return sendPage(reply, 200, leavingPage(provider, { username: user.username, url }));
}

async function complete(needs: ExternalAuthPageNeeds, at: Visit): Promise<FastifyReply> {
  const { user, provider, request, reply, signal } = at;
  const { searchParams: answer } = new URL(request.url, "http://server");
  // Clients of the original begin a login here.
  if (!answer.has("code") && !answer.has("error")) return reply.redirect(pathOf(request), 303);
  const open = await endLogIn(needs, user, provider, { request, reply });
  if (open === undefined || !answer.has("state") || answer.get("state") !== open.state) {
    return fail(at, "This login has expired, was completed before, or began in another session.");
  }
  return orProblem(at, async () => {
    await completeLogIn(needs, user, provider, { answer, begun: open, signal });
    // The address with the code leaves the history of the browser.
    return reply.redirect(open.path, 303);
  });
}

async function redeem(needs: ExternalAuthPageNeeds, at: Visit): Promise<FastifyReply> {
  const { user, provider, request, reply, signal } = at;
  const deviceCode = readForm(request).get("device_code") ?? "";
  return orProblem(at, async () => {
    try {
      await redeemDevice(needs, user, provider, { deviceCode, signal });
    } catch (error) {
      const isPending = error instanceof Refusal && pendingDetails.has(error.detail ?? "");
      if (!isPending) throw error;
      const problem = `${provider.displayName} has not got the code yet. Enter it there, then try again.`;
      return showDevice(needs, at, deviceCode, problem);
    }
    return reply.redirect(pathOf(request), 303);
  });
}

async function showDevice(
  needs: ExternalAuthPageNeeds,
  at: Visit,
  deviceCode: string,
  problem: string | undefined,
): Promise<FastifyReply> {
  const { user, provider, request, reply } = at;
  const code = await openDeviceCode(needs.notes, user.id, provider, deviceCode);
  if (code === undefined) return reply.redirect(pathOf(request), 303);
  const form = await formOf(needs, at, `${pathOf(request)}/device`);
  return sendPage(reply, 200, devicePage(provider, { ...form, code, deviceCode, problem }));
}

/** Answers with a page that names the problem, if it is one of the provider or of the request. */
async function orProblem(at: Visit, answer: () => Promise<FastifyReply>): Promise<FastifyReply> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof ProviderError) {
      return fail(at, problemOf(at.provider, error));
    }
    if (error instanceof Refusal) return fail(at, [error.message, error.detail].join(" "));
    throw error;
  }
}

/** Returns what a provider's error means for the person at the browser. */
function problemOf({ displayName }: Provider, { reason, message }: ProviderError): string {
  const isDenied = reason === "access_denied";
  return isDenied
    ? `It was canceled or denied at ${displayName} (${message}).`
    : `${displayName} did not log you in: ${message}.`;
}

function fail(
  { provider, request, reply }: Visit,
  problem: string,
  status: number = 400,
): FastifyReply {
  return sendPage(reply, status, failedPage(provider, { problem, again: pathOf(request) }));
}
