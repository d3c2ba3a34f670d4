import type { IncomingMessage, ServerResponse } from "node:http";

import { type Clock, errorText, type Logger } from "@slipway/runtime";

import { UnreachableAgent } from "../../network/own-peer/unreachable-agent.ts";
import { SeveralSessions } from "../../platform/errors/errors.ts";
import { addressKey } from "../../platform/fields/address.ts";
import { hasBody } from "../../platform/http/bodies.ts";
import type { ServeRequest } from "../../platform/http/divert-requests.ts";
import { RateLimiter, usualRequestsPerMinute } from "../../platform/http/rate-limit.ts";
import type { ReadClientView } from "../../platform/http/request-origin.ts";
import { addressText } from "./app-address.ts";
import type { AppExchange, AppForwarder } from "./app-forwarder.ts";
import type { AppDecision, AppGrant, AppGrants } from "./app-grants.ts";
import type { AppLogin, Redirect } from "./app-login.ts";
import type { AppMetrics, AppOutcome } from "./app-metrics.ts";
import { isForeign, isPreflight, sharedWith, siblingOrigin } from "./app-origins.ts";
import { type AppPage, sendAppPage } from "./app-page.ts";
import { type AppRequest, type AppSite, type AskedApp, readAppRequest } from "./app-request.ts";
import { hashOf } from "./app-tokens.ts";
import type { OpenApps } from "./open-apps.ts";
import {
  failurePage,
  foreignOrigin,
  internalFailure,
  malformedHost,
  pathAppsOff,
  problemPage,
  severalSessions,
  tooManyRefused,
  unknownApp,
} from "./problem-pages.ts";
import { withoutOwnParameters } from "./request-headers.ts";

interface AppProxyNeeds {
  readonly site: AppSite;
  readonly readClientView: ReadClientView;
  readonly grants: AppGrants;
  readonly login: AppLogin;
  readonly forwarder: AppForwarder;
  readonly open: OpenApps;
  readonly metrics: AppMetrics;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Logger;
}

/** The limit of preflights, which are never granted without a credential; a page may send several for each request. */
const maxPreflightsPerMinute = 8 * usualRequestsPerMinute;

type AppResult = AppOutcome | Redirect | AppPage;

/** Opens the apps of workspaces to browsers (docs/protocol/rest.md §5). */
export class AppProxy {
  readonly #needs: AppProxyNeeds;
  readonly #refused: RateLimiter;

  constructor(needs: AppProxyNeeds) {
    this.#needs = needs;
    this.#refused = new RateLimiter(needs.clock);
  }

  /** Returns the function that answers a request for an app; undefined for requests to the API and its pages. */
  divert(request: IncomingMessage): ServeRequest | undefined {
    const { readClientView, site } = this.#needs;
    const asked = readAppRequest(request, () => readClientView(request), site);
    if (asked.type === "none") return undefined;
    return (response, upgrade) => void this.#serve(asked, { request, response, upgrade });
  }

  async #serve(
    asked: Exclude<AskedApp, { readonly type: "none" }>,
    raw: Omit<AppExchange, "asked" | "added">,
  ): Promise<void> {
    const { logger, metrics } = this.#needs;
    const { request, response } = raw;
    const access = asked.type === "app" ? asked.asked.address.access : accessOf(asked.type);
    try {
      const answered =
        asked.type === "app"
          ? await this.#answer({ ...raw, asked: asked.asked, added: [] })
          : pages[asked.type];
      metrics.count(access, finish(request, response, answered));
    } catch (error) {
      if (error instanceof SeveralSessions) {
        return metrics.count(access, finish(request, response, severalSessions(error)));
      }
      logger.error({ error: errorText(error) }, "request to an app failed");
      metrics.count(access, "failed");
      sendAppPage(request, response, internalFailure);
    }
  }

  async #answer(exchange: AppExchange): Promise<AppResult> {
    const { request, response, asked } = exchange;
    const { login } = this.#needs;
    const asksFirst = isPreflight(request);
    const code = asksFirst ? undefined : login.codeOf(request, asked);
    if (code !== undefined) return this.#complete(request, asked, code);
    const decision = await this.#decide(request, asked);
    if (decision === undefined) return tooManyRefused;
    const isPassed = decision.type === "granted" && decision.app.cors === "passthru";
    // Browsers send no credential with a preflight, so it reaches only public apps.
    if (asksFirst && !isPassed) return this.#answerPreflight(exchange);
    if (decision.type !== "granted") return this.#refuse(exchange, decision);
    const isShared = !isPassed && asked.address.access === "subdomain";
    const sibling = siblingOrigin(request, this.#originRules(asked));
    const cookies = decision.cookies.flatMap((cookie) => ["Set-Cookie", cookie]);
    const added = [...cookies, ...(isShared ? sharedWith(sibling, request) : [])];
    const outcome = await this.#open({ ...exchange, added }, decision);
    return response.destroyed && typeof outcome === "object" ? "left" : outcome;
  }

  #answerPreflight({ request, response, asked }: AppExchange): AppOutcome {
    const sibling = siblingOrigin(request, this.#originRules(asked));
    response.writeHead(204, "No Content", sharedWith(sibling, request));
    response.end();
    return "answered";
  }

  async #complete(
    request: IncomingMessage,
    asked: AppRequest,
    code: string,
  ): Promise<Redirect | AppPage> {
    const { login } = this.#needs;
    const completed = await this.#look(request, asked, {
      look: () => login.complete(request, asked, code),
      isRefused: (answer) => !("location" in answer),
    });
    return completed ?? tooManyRefused;
  }

  /** Decides about a request; undefined if its address had too many refused. */
  async #decide(request: IncomingMessage, asked: AppRequest): Promise<AppDecision | undefined> {
    const { grants } = this.#needs;
    const remembered = await grants.recall(request, asked);
    if (remembered !== undefined) return remembered;
    return this.#look(request, asked, {
      look: () => grants.decide(request, asked),
      isRefused: ({ type }) => type !== "granted",
    });
  }

  /**
   * Queries the database for a request; undefined if too many requests of its address were refused. The request
   * counts as refused until the query shows otherwise.
   */
  async #look<T>(
    request: IncomingMessage,
    asked: AppRequest,
    {
      look,
      isRefused,
    }: { readonly look: () => Promise<T>; readonly isRefused: (found: T) => boolean },
  ): Promise<T | undefined> {
    const address = addressKey(asked.client.address);
    const [key, limit] = isPreflight(request)
      ? [`preflights of ${address}`, maxPreflightsPerMinute]
      : [address, usualRequestsPerMinute];
    if (this.#refused.count(key, limit).isExceeded) return undefined;
    const found = await look();
    if (!isRefused(found)) this.#refused.takeBack(key);
    return found;
  }

  #refuse(
    { request, asked }: AppExchange,
    decision: Exclude<AppDecision, AppGrant>,
  ): Redirect | AppPage {
    switch (decision.type) {
      case "not-signed-in":
        return this.#needs.login.begin(request, asked);
      case "unknown":
        return unknownApp;
      case "problem":
        return problemPage(decision.problem);
    }
  }

  async #open(exchange: AppExchange, grant: AppGrant): Promise<AppResult> {
    const { request, response, asked, upgrade } = exchange;
    const { app, viewer } = grant;
    const isByCookie = viewer?.credential.isCookie === true && app.level !== "public";
    if (isByCookie && isForeign(request, this.#originRules(asked))) return foreignOrigin;
    const redirect = this.#redirect(exchange, grant);
    if (redirect !== undefined) return redirect;
    const credential = viewer === undefined ? "" : hashOf(viewer.credential.text);
    const held = this.#needs.open.hold(viewer?.userId ?? asked.client.address, {
      right: [asked.origin, addressText(asked.address), app.agentId, credential].join(" "),
      workspaceId: app.workspaceId,
      userId: viewer?.userId,
      mayStay: async () => {
        const now = await this.#needs.grants.decide(request, asked);
        if (now.type === "granted") return now.app.agentId === app.agentId;
        // The session of an agent may break and come back while the app goes on.
        return now.type === "problem" && now.problem.type === "disconnected";
      },
      end: () => {
        response.destroy();
        upgrade?.socket.destroy();
      },
    });
    if (!(Symbol.dispose in held)) return held;
    using _ = held;
    return await this.#forward(exchange, grant);
  }

  /** Returns the redirect to the directory of an app, and to the query of its URL. */
  #redirect({ request, asked }: AppExchange, { app, cookies }: AppGrant): Redirect | undefined {
    const { basePath, path, origin } = asked;
    const query = withoutOwnParameters(asked.query);
    const isBare = path === "" && basePath !== "";
    const lacksQuery = app.url.query !== "" && query === "" && (path === "" || path === "/");
    const isSafe = request.method === "GET" || request.method === "HEAD";
    if (!isBare && !(lacksQuery && isSafe)) return undefined;
    const location = `${origin}${basePath}/${lacksQuery ? app.url.query : query}`;
    return { status: 307, location, cookies };
  }

  async #forward(exchange: AppExchange, grant: AppGrant): Promise<AppResult> {
    const { forwarder, grants } = this.#needs;
    const { request, response, asked } = exchange;
    try {
      return await forwarder.forward(exchange, grant);
    } catch (error) {
      if (response.destroyed) return "left";
      if (grant.isRemembered && error instanceof UnreachableAgent) {
        // The workspace may have another agent since.
        const now = await grants.decide(request, asked);
        if (now.type !== "granted") return this.#refuse(exchange, now);
        const isOther = now.app.agentId !== grant.app.agentId;
        if (isOther && !hasBody(request)) return this.#forward(exchange, now);
      }
      const page = failurePage(error, grant.app);
      if (page === undefined) throw error;
      return page;
    }
  }

  #originRules({ address, origin }: AppRequest): Parameters<typeof siblingOrigin>[1] {
    return { wildcard: this.#needs.site.wildcard, ownOrigin: origin, address };
  }
}

const pages = {
  "malformed-host": malformedHost,
  "unknown-path": unknownApp,
  "path-apps-off": pathAppsOff,
} as const satisfies Record<string, AppPage>;

function accessOf(type: keyof typeof pages): "path" | "subdomain" {
  return type === "malformed-host" ? "subdomain" : "path";
}

/** Sends a redirect or a page, unless the request was answered. */
function finish(
  request: IncomingMessage,
  response: ServerResponse,
  answered: AppResult,
): AppOutcome {
  if (typeof answered === "string") return answered;
  if (!("location" in answered)) {
    sendAppPage(request, response, answered);
    return answered.status >= 500 ? "failed" : "refused";
  }
  const { status, location, cookies } = answered;
  if (!request.complete) response.shouldKeepAlive = false;
  response.writeHead(status, {
    Location: location,
    "Set-Cookie": [...cookies],
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Length": 0,
  });
  response.end();
  return "redirected";
}
