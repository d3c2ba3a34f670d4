import type { getAgentExternalAuth } from "@slipway/api/agents/owner-secret-routes";
import type { ResponseOf } from "@slipway/api/contract/route";
import { zeroTimestamp } from "@slipway/api/contract/scalars";
import type { Registry } from "prom-client";

import { rejectedAgentToken } from "../../../platform/auth/agent-token.ts";
import type { Queryable } from "../../../platform/db/database.ts";
import { timestampFromMs } from "../../../platform/db/timestamp.ts";
import {
  forbidden,
  Invalid,
  NotFound,
  RateLimited,
  Unavailable,
} from "../../../platform/errors/errors.ts";
import type { AgentCaller } from "../../../platform/http/caller.ts";
import { OpenCounts } from "../../../platform/http/open-counts.ts";
import type { RouteRequest } from "../../../platform/http/route-request.ts";
import { topics } from "../../../platform/pubsub/pubsub.ts";
import { watch } from "../../../platform/pubsub/watch.ts";
import { addGauge } from "../../../platform/read-metrics.ts";
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

export interface AgentExternalAuthNeeds extends ExternalAuthNeeds {
  readonly accessUrl: () => string;
  readonly waits: LogInWaits;
}

type ExternalAuthQuery = RouteRequest<typeof getAgentExternalAuth>["query"];
type ExternalAuthAnswer = ResponseOf<typeof getAgentExternalAuth>;

/** The maximum wait for a login: shorter than the time after which a silent connection is closed. */
const maxLogInWaitMs = 90_000;
/** The maximum time between two checks without a hint. */
const maxCheckWaitMs = 5_000;

/**
 * Returns the owner's token of the provider that an agent names, or the address to log in at
 * (docs/protocol/rest.md §2.6). Waits for a login if the agent asks for that, as long as its request is open.
 */
export async function readOwnerToken(
  needs: AgentExternalAuthNeeds,
  agent: AgentCaller,
  query: ExternalAuthQuery,
  client: AbortSignal,
): Promise<ExternalAuthAnswer> {
  await requireOwner(needs, agent);
  const provider = findProvider(needs, query);
  if (query.listen !== undefined) {
    using _ = holdWait(needs, agent);
    return await waitForToken(needs, agent, provider, client);
  }
  const token = await usableToken(needs, agent.ownerId, provider, client);
  return answerOf(needs, provider, token);
}

/** The maximum number of requests of one agent that wait for its owner to log in, on one replica. */
const maxLogInWaitsPerAgent = 8;

/** The requests of agents that wait for their owners to log in to a provider. */
export class LogInWaits {
  readonly #counts = new OpenCounts({ perAddress: maxLogInWaitsPerAgent, inAll: Infinity });

  constructor(registry: Registry) {
    addGauge(
      registry,
      "slipway_external_auth_waits",
      "Requests of agents to this replica that wait for their owner to log in to a provider.",
      () => this.#counts.size,
    );
  }

  /** Holds a place until the result is disposed of; undefined if the agent has none left. */
  hold(agentId: string): Disposable | undefined {
    const taken = this.#counts.take(agentId);
    return typeof taken === "string" ? undefined : taken;
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

/**
 * Selects the status of an agent's owner; undefined if the agent is no longer live, or its workspace has a different
 * owner now.
 */
async function selectLiveOwnerStatus(
  db: Queryable,
  agentId: string,
  ownerId: string,
): Promise<"active" | "dormant" | "suspended" | undefined> {
  const row = await db
    .selectFrom("live_agents as agent")
    .innerJoin("users as owner", "owner.id", "agent.owner_id")
    .where("agent.id", "=", agentId)
    .where("owner.id", "=", ownerId)
    .select("owner.status")
    .executeTakeFirst();
  return row?.status;
}

function holdWait({ waits }: AgentExternalAuthNeeds, agent: AgentCaller): Disposable {
  const wait = waits.hold(agent.agentId);
  if (wait !== undefined) return wait;
  throw new RateLimited("This agent already waits for too many logins.", {
    retryAfterSeconds: maxCheckWaitMs / 1000,
  });
}

/**
 * Waits until the owner has a token that the provider accepts; a rejected one is not tried again until another is
 * stored. Throws `Unavailable` after a timeout, whereupon clients ask again.
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
  const checks = watch({
    pubsub,
    topics: [topics.externalAuth(ownerId)],
    maxWaitMs: maxCheckWaitMs,
    clock,
    signal: client,
  });
  let rejected: string | undefined;
  for await (const _ of checks) {
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
