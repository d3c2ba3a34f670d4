import {
  getAgentExternalAuth,
  getAgentGitAuth,
  type ResponseOf,
  zeroTimestamp,
} from "@slipway/api";

import { rejectedAgentToken } from "../../../platform/auth/service.ts";
import { timestampFromMs } from "../../../platform/db/timestamp.ts";
import {
  forbidden,
  Invalid,
  NotFound,
  RateLimited,
  Unavailable,
} from "../../../platform/errors/errors.ts";
import type { AgentCaller } from "../../../platform/http/caller.ts";
import { watchClient } from "../../../platform/http/client-disconnect.ts";
import type { RouteRequest } from "../../../platform/http/route-request.ts";
import type { Routes } from "../../../platform/http/routes.ts";
import { topics } from "../../../platform/pubsub/pubsub.ts";
import { watch } from "../../../platform/pubsub/watch.ts";
import {
  type ExternalAuthNeeds,
  gitCredentials,
  linkVersion,
  type Provider,
  providerPath,
  type ProviderTokens,
  type UsableToken,
  usableToken,
} from "../../external-auth/service.ts";
import type { LogInWaits } from "./log-in-waits.ts";
import { selectLiveOwnerStatus } from "./owner-queries.ts";

export interface AgentExternalAuthNeeds extends ExternalAuthNeeds {
  readonly accessUrl: () => string;
  readonly waits: LogInWaits;
}

type ExternalAuthQuery = RouteRequest<typeof getAgentExternalAuth>["query"];
type ExternalAuthAnswer = ResponseOf<typeof getAgentExternalAuth>;

/** The longest wait for a login: less than the time after which a silent connection is closed. */
const maxLogInWaitMs = 90_000;
/** The longest time between two looks without a hint. */
const maxLookWaitMs = 5_000;

/** Adds the routes that give an agent its owner's token of a provider (docs/protocol/rest.md §2.6). */
export function addMeExternalAuthRoutes(routes: Routes, needs: AgentExternalAuthNeeds): void {
  for (const route of [getAgentExternalAuth, getAgentGitAuth]) {
    routes.agent(route, async ({ query, raw }, agent) => {
      await requireOwner(needs, agent);
      const provider = findProvider(needs, query);
      using client = watchClient(raw);
      if (query.listen !== undefined) {
        using _ = holdWait(needs, agent);
        return await waitForToken(needs, agent, provider, client.signal);
      }
      const token = await usableToken(needs, agent.ownerId, provider, client.signal);
      return answerOf(needs, provider, token);
    });
  }
}

/** Finds the provider that a request names; throws `Invalid` or `NotFound`. */
function findProvider(
  { providers }: ExternalAuthNeeds,
  { match = "", url = "", id = "" }: ExternalAuthQuery,
): Provider {
  const wanted = match === "" ? url : match;
  if (wanted === "" && id === "") throw new Invalid("'url' or 'id' must be provided!");
  if (wanted !== "" && id !== "") throw new Invalid("'url' and 'id' cannot be provided together!");
  const provider = id === "" ? providers.byAddress(wanted) : providers.byId(id);
  if (provider !== undefined) return provider;
  const what =
    id === "" ? `is for the URL ${JSON.stringify(wanted)}` : `has the id ${JSON.stringify(id)}`;
  throw new NotFound(`No external auth provider ${what}.`, {
    detail: knownProviders(providers.list),
  });
}

function knownProviders(providers: readonly Provider[]): string {
  if (providers.length === 0) return "This server has no external auth providers.";
  const known = providers.map((one) => `${one.id} (${one.regex ?? "no URLs"})`);
  return `This server has: ${known.join(", ")}.`;
}

/** Requires that the agent still belongs to its owner, and that they are active. */
async function requireOwner({ db }: AgentExternalAuthNeeds, agent: AgentCaller): Promise<void> {
  const status = await selectLiveOwnerStatus(db, agent.agentId, agent.ownerId);
  if (status === undefined) throw rejectedAgentToken();
  if (status === "suspended") throw forbidden("The owner of this workspace is suspended.");
}

function holdWait({ waits }: AgentExternalAuthNeeds, agent: AgentCaller): Disposable {
  const wait = waits.hold(agent.agentId);
  if (wait !== undefined) return wait;
  throw new RateLimited("This agent already waits for too many logins.", {
    retryAfterSeconds: maxLookWaitMs / 1000,
  });
}

/**
 * Waits until the owner has a token that the provider accepts. One that it rejected is not tried again until another one is
 * stored. Throws `Unavailable` after a time: clients ask again then.
 */
async function waitForToken(
  needs: AgentExternalAuthNeeds,
  agent: AgentCaller,
  provider: Provider,
  client: AbortSignal,
): Promise<ExternalAuthAnswer> {
  const { db, pubsub, clock } = needs;
  const { ownerId } = agent;
  const endMs = clock.now() + maxLogInWaitMs;
  const looks = watch({
    pubsub,
    topics: [topics.externalAuth(ownerId)],
    maxWaitMs: maxLookWaitMs,
    clock,
    signal: client,
  });
  let rejected: string | undefined;
  for await (const _ of looks) {
    await requireOwner(needs, agent);
    const version = await linkVersion(db, ownerId, provider);
    if (version !== undefined && version !== rejected) {
      const token = await usableToken(needs, ownerId, provider, client);
      if (token.type === "valid") return answerOf(needs, provider, token);
      if (token.type === "log-in") rejected = token.version;
    }
    if (clock.now() >= endMs) break;
  }
  throw new Unavailable("Nobody has logged in yet.", {
    detail: `Log in at ${logInUrl(needs, provider)}, then try again.`,
    retryAfterSeconds: 1,
  });
}

function answerOf(
  needs: AgentExternalAuthNeeds,
  provider: Provider,
  token: UsableToken,
): ExternalAuthAnswer {
  switch (token.type) {
    case "valid":
      return tokenJson(provider, token.tokens);
    case "log-in":
      return { ...nothing, url: logInUrl(needs, provider) };
    case "unknown":
      throw new Unavailable("Failed to refresh external auth token.", {
        detail: `${provider.displayName} cannot be asked now: ${token.reason}`,
      });
  }
}

const nothing: ExternalAuthAnswer = {
  access_token: "",
  token_extra: null,
  url: "",
  type: "",
  expires_at: zeroTimestamp,
  username: "",
  password: "",
};

function tokenJson(
  { type }: Provider,
  { accessToken, expiresAtMs, extra }: ProviderTokens,
): ExternalAuthAnswer {
  return {
    access_token: accessToken,
    token_extra: extra ?? null,
    url: "",
    type,
    expires_at: expiresAtMs === undefined ? zeroTimestamp : timestampFromMs(expiresAtMs),
    ...gitCredentials(type, accessToken),
  };
}

function logInUrl({ accessUrl }: AgentExternalAuthNeeds, provider: Provider): string {
  return `${accessUrl()}${providerPath(provider)}`;
}
