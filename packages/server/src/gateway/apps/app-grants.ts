import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";

import type { AppHealth, SharingLevel } from "@slipway/api/agents/app";
import type { Clock } from "@slipway/runtime";
import { stringifySetCookie } from "cookie";
import type { JWTPayload } from "jose";

import { isLive } from "../../features/agents/live-queries.ts";
import type { SecretBox } from "../../platform/auth/secret-box.ts";
import type { PathApps } from "../../platform/config/settings.ts";
import type { Queryable } from "../../platform/db/database.ts";
import { type AppProblem, findApp, type OpenedApp } from "./app-access.ts";
import { addressText } from "./app-address.ts";
import type { AppRequest } from "./app-request.ts";
import { appTokenSeconds, hashOf, isSame, SignedTokens } from "./app-tokens.ts";
import type { AppViewers, Credential } from "./app-viewers.ts";
import { appCookieName, signedAppTokenCookie, triedValues } from "./cookies.ts";

/** The right to open an app. */
export interface AppGrant {
  readonly type: "granted";
  readonly app: OpenedApp;
  /** Undefined for a viewer who is not logged in. */
  readonly viewer: { readonly userId: string; readonly credential: Credential } | undefined;
  /** A text shared by all requests of a viewer; undefined if they cannot be distinguished from those of others. */
  readonly identity: string | undefined;
  /** True if it was decided for an earlier request. */
  readonly isRemembered: boolean;
  /** Cookies for the browser. */
  readonly cookies: readonly string[];
}

export type AppDecision =
  | AppGrant
  /** The viewer must log in to learn more. */
  | { readonly type: "not-signed-in" }
  | { readonly type: "unknown" }
  | { readonly type: "problem"; readonly problem: AppProblem };

interface AppGrantsNeeds {
  readonly db: Queryable;
  readonly clock: Pick<Clock, "now" | "monotonic">;
  readonly secrets: SecretBox;
  readonly viewers: AppViewers;
  readonly pathApps: PathApps;
}

/** Decides which viewers may open which apps, and remembers each decision for a minute in a signed cookie. */
export class AppGrants {
  readonly #needs: AppGrantsNeeds;
  readonly #tokens: SignedTokens;
  readonly #agents: LiveAgents;

  constructor(needs: AppGrantsNeeds) {
    this.#needs = needs;
    this.#tokens = new SignedTokens(needs.secrets, "app token", needs.clock);
    this.#agents = new LiveAgents(needs);
  }

  /** Returns the decision about an earlier request for the same app and credential, while its agent is live. */
  async recall(request: IncomingMessage, asked: AppRequest): Promise<AppGrant | undefined> {
    const credentials = this.#needs.viewers.credentials(request, asked);
    const remembered = await this.#recall(request, asked, credentials);
    // A restarted workspace has another agent, and the request would wait for the former one.
    const mayBeRecalled =
      remembered !== undefined && (await this.#agents.isLive(remembered.app.agentId));
    return mayBeRecalled ? remembered : undefined;
  }

  /** Decides about a request by a query of the database. */
  async decide(request: IncomingMessage, asked: AppRequest): Promise<AppDecision> {
    const credentials = this.#needs.viewers.credentials(request, asked);
    const viewer = await this.#needs.viewers.identify(credentials, asked);
    const access = await findApp(this.#needs, asked.address, viewer?.user);
    if (access.type === "unknown" && viewer === undefined) return { type: "not-signed-in" };
    if (access.type !== "granted") return access;
    const { app } = access;
    const found = viewer && { userId: viewer.user.id, credential: viewer.credential };
    const cookies = [await this.#remember(asked, app, found), viewer?.renewal ?? []].flat();
    const identity = found?.userId;
    return { type: "granted", app, viewer: found, identity, isRemembered: false, cookies };
  }

  /** Returns the decision about an earlier request for the same app and the same credential. */
  async #recall(
    { headers }: IncomingMessage,
    asked: AppRequest,
    credentials: readonly Credential[],
  ): Promise<AppGrant | undefined> {
    for (const token of triedValues(headers.cookie, appCookieName(signedAppTokenCookie, asked))) {
      const claims = await this.#tokens.verify(token, audienceOf(asked));
      const app = claims && readApp(claims);
      if (claims === undefined || app === undefined) continue;
      const grant = { type: "granted", app, isRemembered: true, cookies: [] } as const;
      const { sub: userId, cred: hash, jti: identity } = claims;
      if (userId === undefined) return { ...grant, viewer: undefined, identity };
      const credential = credentials.find(
        ({ text }) => typeof hash === "string" && isSame(hashOf(text), hash),
      );
      if (credential !== undefined) {
        return { ...grant, viewer: { userId, credential }, identity: userId };
      }
    }
    return undefined;
  }

  async #remember(asked: AppRequest, app: OpenedApp, viewer: AppGrant["viewer"]): Promise<string> {
    // Only the browser that the decision is sent to knows its number.
    const whose =
      viewer === undefined
        ? { jti: randomUUID() }
        : { sub: viewer.userId, cred: hashOf(viewer.credential.text) };
    const claims = { ...whose, ...claimsOf(app) };
    return stringifySetCookie({
      name: appCookieName(signedAppTokenCookie, asked),
      value: await this.#tokens.sign(claims, audienceOf(asked), appTokenSeconds),
      path: `${asked.basePath}/`,
      httpOnly: true,
      sameSite: "lax",
      secure: asked.origin.startsWith("https:"),
      maxAge: appTokenSeconds,
    });
  }
}

function audienceOf({ origin, address }: AppRequest): string {
  return `${origin}/${addressText(address)}`;
}

function claimsOf({ workspaceId, agentId, name, url, health, level, cors }: OpenedApp): JWTPayload {
  return { workspaceId, agentId, name, ...url, health, level, cors };
}

/** Reads an app from claims that this deployment signed. */
function readApp(claims: JWTPayload): OpenedApp | undefined {
  const { port } = claims;
  const text = (name: string): string => {
    const value = claims[name];
    return typeof value === "string" ? value : "";
  };
  if (typeof port !== "number") return undefined;
  return {
    workspaceId: text("workspaceId"),
    agentId: text("agentId"),
    name: text("name"),
    url: {
      protocol: text("protocol") === "https" ? "https" : "http",
      port,
      path: text("path"),
      query: text("query"),
    },
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- signed as such
    health: text("health") as AppHealth,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- signed as such
    level: text("level") as SharingLevel,
    cors: text("cors") === "passthru" ? "passthru" : "simple",
  };
}

/** The time for which an answer of the database counts. */
const recentMs = 1_000;
/** The maximum number of agents whose answers are kept. */
const maxAgents = 4_096;

interface LiveAgentsNeeds {
  readonly db: Queryable;
  readonly clock: Pick<Clock, "monotonic">;
}

/** The agents that are live, looked up at most once a second each. */
export class LiveAgents {
  readonly #needs: LiveAgentsNeeds;
  /** Oldest first. */
  readonly #answers = new Map<
    string,
    { readonly atMs: number; readonly isLive: Promise<boolean> }
  >();

  constructor(needs: LiveAgentsNeeds) {
    this.#needs = needs;
  }

  /** Returns whether an agent is live. While the database does not answer, each of them counts as live. */
  isLive(agentId: string): Promise<boolean> {
    const { db, clock } = this.#needs;
    const atMs = clock.monotonic();
    const recent = this.#answers.get(agentId);
    if (recent !== undefined && atMs - recent.atMs < recentMs) return recent.isLive;
    const answer = { atMs, isLive: isLive(db, agentId).catch(() => true) };
    this.#answers.delete(agentId);
    this.#answers.set(agentId, answer);
    for (const [oldest] of this.#answers) {
      if (this.#answers.size <= maxAgents) break;
      this.#answers.delete(oldest);
    }
    return answer.isLive;
  }
}
