import type { LoginTest } from "@slipway/api/logins/routes";
import type { RefusalCode } from "@slipway/api/users/log-in-refusals";
import { errorText, type Logger } from "@slipway/runtime";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { findBrowserUser } from "../../platform/auth/browser-user.ts";
import type { KeyHolders } from "../../platform/auth/service.ts";
import { localPath } from "../../platform/fields/local-path.ts";
import { escapeHtml, htmlPage, sendPage } from "../../platform/http/html-page.ts";
import { sendNotFoundPage } from "../../platform/http/refusal-pages.ts";
import type { RequestLimits } from "../../platform/http/request-limits.ts";
import { originOf } from "../../platform/http/request-origin.ts";
import { setSessionCookie } from "../users/log-in-routes.ts";
import { readConversion } from "./conversion.ts";
import { LogInError } from "./errors.ts";
import type { BegunLogIn } from "./log-in-client.ts";
import { logInPerson, type PersonNeeds } from "./log-in-service.ts";
import { failedTestOf, isOpenTest, storeTest, testOf, testParameter } from "./login-test.ts";
import { type Aim, beginLogIn, endLogIn, type PendingNeeds } from "./pending-cookie.ts";
import { type LogInCounts, logInPath, type LogInProviders, type Provider } from "./providers.ts";

export interface LogInPageNeeds extends PersonNeeds, PendingNeeds {
  readonly logger: Logger;
  readonly providers: LogInProviders;
  readonly counts: LogInCounts;
  readonly limits: RequestLimits;
  readonly holders: Pick<KeyHolders, "ofToken">;
  /** The page on which users convert their accounts, and read why a conversion failed. */
  readonly conversionPage: string;
}

const beginPath = "/login/with/:provider";
const callbackPath = `${beginPath}/callback`;
/** The parameter with the state of a conversion, as pages of the original name it. */
const conversionParameter = "oidc_merge_state";
/** The maximum number of requests per minute of one address; each may cost a request to the provider. */
const requestsPerMinute = 60;

/** The addresses at which pages of the original begin a login, and the type of the provider. */
const stockPaths = [
  ["/api/v2/users/oidc/callback", "oidc"],
  ["/api/v2/users/oauth2/github/callback", "github"],
] as const;

/** A request to log in at a provider. */
interface Visit {
  readonly provider: Provider;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/**
 * Adds the addresses at which browsers begin and complete logins at providers (docs/login.md). Both answer with redirects; a
 * login that fails leads to the page `/login`, with the reason as a code in `error`.
 */
export function addLogInPages(app: FastifyInstance, needs: LogInPageNeeds): void {
  const { limits, providers } = needs;
  const visit =
    (path: string, answer: (at: Visit) => Promise<FastifyReply>) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      limits.countPage(path, request, reply, requestsPerMinute);
      reply.header("Cache-Control", "no-store");
      const provider = providers.byId(providerIdOf(request));
      return provider === undefined
        ? sendNotFoundPage(reply)
        : answer({ provider, request, reply });
    };
  app.get(
    beginPath,
    visit(beginPath, (at) => begin(needs, at)),
  );
  app.get(
    callbackPath,
    visit(callbackPath, (at) => complete(needs, at)),
  );
  for (const [path, type] of stockPaths) {
    app.get(path, async (request, reply) => {
      limits.countPage(path, request, reply, requestsPerMinute);
      const provider = providers.list.find((one) => one.type === type);
      if (provider === undefined) return sendNotFoundPage(reply);
      const begins = logInPath(provider);
      const state = searchOf(request).get(conversionParameter);
      const address = state === null ? begins : withQuery(begins, { [conversionParameter]: state });
      return reply.redirect(withRedirect(address, redirectOf(request)), 303);
    });
  }
}

async function begin(needs: LogInPageNeeds, at: Visit): Promise<FastifyReply> {
  const { provider, request, reply } = at;
  const path = redirectOf(request);
  const isConversion = searchOf(request).has(conversionParameter);
  const page = isConversion ? needs.conversionPage : logInPage(path);
  return orRefusalPage(needs, at, page, async () => {
    const aim = await aimOf(needs, at);
    const pending = await beginLogIn(needs, provider, { aim, path, request, reply });
    const url = await provider.client.logInUrl(pending, { asksAgain: aim.type === "test" });
    return reply.redirect(url.href, 303);
  });
}

async function complete(needs: LogInPageNeeds, at: Visit): Promise<FastifyReply> {
  const { provider, request, reply } = at;
  const answer = searchOf(request);
  const pending = await endLogIn(needs, provider, { request, reply });
  const isTheirs = answer.get("state") === pending?.state;
  if (pending?.aim.type === "test" && isTheirs)
    return completeTest(needs, at, pending.aim, pending);
  const aim = pending?.aim.type === "conversion" ? pending.aim : logInAim;
  const page = aim.type === "session" ? logInPage(pending?.path ?? "/") : needs.conversionPage;
  return orRefusalPage(needs, at, page, async () => {
    if (pending === undefined || !isTheirs) {
      throw new LogInError("expired", "the browser began no such login");
    }
    if (aim.type === "conversion") await requireSession(needs, request, aim);
    const proven = await provider.client.complete(answer, pending);
    const { beganAtMs } = pending;
    const arrival = { provider, proven, aim, beganAtMs, origin: originOf(request, 303) };
    const token = await logInPerson(needs, arrival);
    needs.counts.count(provider, "ok");
    setSessionCookie(request, reply, { token, accessUrl: needs.accessUrl() });
    return reply.redirect(pending.path, 303);
  });
}

/** Hands the claims of a person, or the reason why there are none, to the owner who tests the provider. */
async function completeTest(
  needs: LogInPageNeeds,
  { provider, request, reply }: Visit,
  { testId }: Extract<Aim, { readonly type: "test" }>,
  pending: BegunLogIn,
): Promise<FastifyReply> {
  const result = await readLogIn(needs, provider, searchOf(request), pending);
  const isStored = await storeTest(needs, testId, result);
  const text = isStored
    ? `The result of this login at ${provider.displayName} is with the command that asked for it. The login created neither an account nor a session. You can close this page.`
    : "This test is over. Run the command again.";
  const page = htmlPage("Login test", `<h1>Login test</h1>\n<p>${escapeHtml(text)}</p>`);
  return sendPage(reply, isStored ? 200 : 410, page);
}

async function readLogIn(
  { logger }: Pick<LogInPageNeeds, "logger">,
  provider: Provider,
  answer: URLSearchParams,
  pending: BegunLogIn,
): Promise<LoginTest> {
  try {
    const { claims } = await provider.client.complete(answer, pending);
    return testOf(provider, claims);
  } catch (error) {
    if (!(error instanceof LogInError)) throw error;
    const fields = { provider: provider.id, code: error.code, error: errorText(error) };
    logger.warn(fields, "test of login provider failed");
    return failedTestOf(provider, error.code);
  }
}

const logInAim = { type: "session" } as const;

/** Reads the purpose for which a browser comes. */
async function aimOf(needs: LogInPageNeeds, at: Visit): Promise<Aim> {
  const search = searchOf(at.request);
  const state = search.get(conversionParameter);
  if (state !== null) return conversionOf(needs, at, state);
  const testId = search.get(testParameter);
  if (testId === null) return logInAim;
  if (await isOpenTest(needs.db, testId)) return { type: "test", testId };
  throw new LogInError("expired", "no such test waits for a login");
}

/** Reads the conversion for which a browser comes, in the session that began it. */
async function conversionOf(
  needs: LogInPageNeeds,
  { provider, request }: Visit,
  state: string,
): Promise<Aim> {
  const user = await findBrowserUser(needs, request);
  const aim = await readConversion(needs, provider, user, state);
  if (aim === undefined) throw new LogInError("expired", "the session began no such conversion");
  return aim;
}

async function requireSession(
  needs: LogInPageNeeds,
  request: FastifyRequest,
  { keyId }: Extract<Aim, { readonly type: "conversion" }>,
): Promise<void> {
  const user = await findBrowserUser(needs, request);
  if (user?.keyId !== keyId) throw new LogInError("expired", "the session of the conversion ended");
}

/** Returns the login page, which continues to a path. */
function logInPage(path: string): string {
  return withRedirect("/login", path);
}

/** Redirects to a page, with the reason in the URL, if the login fails. */
async function orRefusalPage(
  { logger, counts }: LogInPageNeeds,
  { provider, reply }: Visit,
  page: string,
  answer: () => Promise<FastifyReply>,
): Promise<FastifyReply> {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof LogInError)) throw error;
    counts.count(provider, error.code);
    const fields = { provider: provider.id, code: error.code, error: errorText(error) };
    if (isProviderFault(error.code)) logger.warn(fields, "login provider failed");
    else logger.info(fields, "login refused");
    return reply.redirect(withQuery(page, { error: error.code, provider: provider.id }), 303);
  }
}

function isProviderFault(code: RefusalCode): boolean {
  return code === "unavailable" || code === "failed" || code === "clock";
}

function searchOf({ url }: FastifyRequest): URLSearchParams {
  return new URL(url, "http://server").searchParams;
}

function redirectOf(request: FastifyRequest): string {
  return localPath(searchOf(request).get("redirect") ?? "/");
}

/** Appends the path to continue to after the login. */
function withRedirect(address: string, path: string): string {
  return path === "/" ? address : withQuery(address, { redirect: path });
}

function withQuery(address: string, query: Readonly<Record<string, string>>): string {
  const separator = address.includes("?") ? "&" : "?";
  return `${address}${separator}${new URLSearchParams(query).toString()}`;
}

function providerIdOf({ params }: FastifyRequest): string {
  const isNamed = typeof params === "object" && params !== null && "provider" in params;
  return isNamed ? String(params.provider) : "";
}
