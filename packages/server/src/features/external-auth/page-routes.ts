import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { isOwnForm, sealFormNonce } from "../../platform/auth/form-nonce.ts";
import { holdsEntry, holdsScope } from "../../platform/auth/grants.ts";
import type { KeyHolders } from "../../platform/auth/service.ts";
import { Refusal } from "../../platform/errors/errors.ts";
import type { KnownUser, UserCaller } from "../../platform/http/caller.ts";
import { watchClient } from "../../platform/http/client-disconnect.ts";
import { sendPage } from "../../platform/http/html-page.ts";
import { localPath } from "../../platform/http/local-path.ts";
import type { RequestLimits } from "../../platform/http/request-limits.ts";
import { originOf } from "../../platform/http/request-origin.ts";
import { needsHttps } from "../../platform/http/same-origin.ts";
import { findSessionCookie } from "../../platform/http/token.ts";
import {
  beginDevice,
  type DeviceNeeds,
  openDeviceCode,
  pendingDetails,
  redeemDevice,
} from "./device-service.ts";
import { ProviderError } from "./errors.ts";
import { beginLogIn, endLogIn } from "./log-in-cookie.ts";
import {
  type AccountForm,
  devicePage,
  failedPage,
  leavingPage,
  loggedInPage,
  logInPage,
  unknownPage,
} from "./pages.ts";
import type { Provider } from "./provider.ts";
import { completeLogIn, usableToken } from "./service.ts";

export interface ExternalAuthPageNeeds extends DeviceNeeds {
  readonly holders: KeyHolders;
  readonly limits: RequestLimits;
  readonly accessUrl: () => string;
}

/** The largest form, in bytes. */
const maxFormBytes = 8 * 1024;
const pagePath = "/external-auth/:provider";
const callbackPath = `${pagePath}/callback`;
const devicePath = `${pagePath}/device`;

/** A request of a person who has a session, to the page of a provider. */
interface Visit {
  readonly user: UserCaller;
  readonly provider: Provider;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly signal: AbortSignal;
}

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

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/** Returns the way from a request to a visit: others are sent to log in, or told that there is no such provider. */
function visitor(needs: ExternalAuthPageNeeds) {
  return (path: string, answer: (at: Visit) => Promise<FastifyReply>): Handler =>
    async (request, reply) => {
      needs.limits.countPage(path, request, reply);
      reply.header("Cache-Control", "no-store");
      const user = await findUser(needs, request);
      if (user === undefined) {
        // Without a query: it may hold a code, which is of no use to a session that did not begin the login.
        const back = new URLSearchParams({ redirect: pathOf(request) });
        return reply.redirect(`/login?${back.toString()}`, 303);
      }
      const provider = needs.providers.byId(providerIdOf(request));
      if (provider === undefined) return sendPage(reply, 404, unknownPage());
      using client = watchClient(request);
      const caller = { ...user, origin: originOf(request, 303) };
      return await answer({ user: caller, provider, request, reply, signal: client.signal });
    };
}

/** Returns the user of the session cookie: whoever logs in by another credential has no browser. */
async function findUser(
  { holders, accessUrl }: ExternalAuthPageNeeds,
  request: FastifyRequest,
): Promise<KnownUser | undefined> {
  const token = findSessionCookie(request, needsHttps(request, accessUrl()));
  const user = token === undefined ? undefined : await holders.ofToken(token);
  if (user === undefined) return undefined;
  const { scopes, allowList } = user.grant;
  const mayChange = holdsScope(scopes, "user:update_personal");
  return mayChange && holdsEntry(allowList, `user:${user.id}`) ? user : undefined;
}

function providerIdOf({ params }: FastifyRequest): string {
  const isNamed = typeof params === "object" && params !== null && "provider" in params;
  return isNamed ? String(params.provider) : "";
}

function pathOf(request: FastifyRequest): string {
  return `/external-auth/${encodeURIComponent(providerIdOf(request))}`;
}

/** Returns the address of the provider's page, with the path to go on to after the login. */
function actionOf(request: FastifyRequest): string {
  const path = redirectOf(request);
  return path === undefined
    ? pathOf(request)
    : `${pathOf(request)}?${new URLSearchParams({ redirect: path }).toString()}`;
}

function redirectOf({ url }: FastifyRequest): string | undefined {
  const redirect = new URL(url, "http://server").searchParams.get("redirect");
  return redirect === null ? undefined : localPath(redirect);
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

function readForm({ body }: FastifyRequest): URLSearchParams {
  return new URLSearchParams(Buffer.from(body instanceof Uint8Array ? body : []).toString("utf8"));
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
  // A page rather than a redirect: browsers let a form lead to no other host.
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
