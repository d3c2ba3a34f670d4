import type { Subsystem } from "@slipway/api/agents/agent";
import { RpcError } from "@slipway/rpc";
import type { Clock } from "@slipway/runtime";
import type { Startup, UpdateStartupRequest } from "@slipway/wire/protobuf/gen/agent_pb";
import { Startup_Subsystem } from "@slipway/wire/protobuf/gen/agent_pb";
import { sql } from "kysely";

import type { Database, Queryable } from "../../../platform/db/database.ts";
import { GatheredWrites } from "../../../platform/db/gathered-writes.ts";
import { isOneOfFew } from "../../../platform/db/one-of-few.ts";
import { prepareQuery } from "../../../platform/db/prepared-query.ts";
import { storableText } from "../../../platform/fields/storable-text.ts";
import type { AgentCaller } from "../../../platform/http/caller.ts";
import { type PubSub, topics } from "../../../platform/pubsub/pubsub.ts";
import { enumField, required } from "../calls/fields.ts";
import { agentLimits } from "../calls/limits.ts";
import { notLive, requireBudget, type RpcCaller } from "../calls/rpc-caller.ts";
import { firstConnected } from "../connections/connection-queries.ts";
import { isLiveAgent } from "../live-queries.ts";

export interface StartupNeeds {
  readonly startups: GatheredWrites<StartupReport, true>;
  readonly pubsub: PubSub;
}

const subsystems: ReadonlyMap<number, Subsystem> = new Map([
  [Startup_Subsystem.ENVBOX, "envbox"],
  [Startup_Subsystem.ENVBUILDER, "envbuilder"],
  [Startup_Subsystem.EXECTRACE, "exectrace"],
]);

const maxVersionLength = agentLimits["coder.agent.v2.Startup"].version.maxBytes;

/** Stores the agent's version, directory and subsystems, and echoes them (docs/protocol/rpc.md §7.2). */
export async function updateStartup(
  { startups, pubsub }: StartupNeeds,
  caller: Pick<RpcCaller, "agent" | "apiVersion" | "spend">,
  request: UpdateStartupRequest,
): Promise<Startup> {
  const startup = required(request.startup, "startup");
  const { version, expandedDirectory } = startup;
  if (!isVersion(version)) {
    const found = JSON.stringify(version.slice(0, maxVersionLength));
    throw new RpcError(`invalid agent semver version ${found} (wanted v1.2.3)`);
  }
  requireBudget(caller, "updates");
  const names = startup.subsystems.map((value) => enumField(subsystems, value, "subsystem"));
  const { agentId, authenticatedAt } = caller.agent;
  const isStored = await startups.write({
    agentId,
    authenticatedAt,
    version,
    expandedDirectory: storableText(expandedDirectory),
    subsystems: [...new Set(names)].toSorted(),
    apiVersion: caller.apiVersion,
  });
  if (isStored === undefined) throw notLive();
  pubsub.publish(topics.workspace(caller.agent.workspaceId));
  return startup;
}

/** Gathers the descriptions of all agents into shared statements. */
export function gatherStartups(db: Database, clock: Clock): StartupNeeds["startups"] {
  return new GatheredWrites({
    keyOf: ({ agentId }) => agentId,
    clock,
    writeAll: (reports) => updateStartups(db, reports),
  });
}

const semver =
  /^v(0|[1-9]\d*)(\.(0|[1-9]\d*)(\.(0|[1-9]\d*)(-[\w-]+(\.[\w-]+)*)?(\+[\w-]+(\.[\w-]+)*)?)?)?$/;

/** Returns whether a text is a semantic version with a leading `v`; minor and patch may be omitted, as in Go. */
export function isVersion(text: string): boolean {
  return text.length <= maxVersionLength && semver.test(text) && !text.includes("_");
}

interface AgentStartup {
  readonly version: string;
  readonly expandedDirectory: string;
  readonly subsystems: readonly Subsystem[];
  readonly apiVersion: string;
}

/** The description of an agent, as its session reports it. */
export interface StartupReport extends AgentStartup {
  readonly agentId: string;
  /** The time when the agent was authenticated for that session. */
  readonly authenticatedAt: string;
}

/** Stores the description of an agent, as `updateStartups` does; resolves to false if it is not live. */
export async function updateAgentStartup(
  db: Queryable,
  { agentId, authenticatedAt }: Pick<AgentCaller, "agentId" | "authenticatedAt">,
  startup: AgentStartup,
): Promise<boolean> {
  return (await updateStartups(db, [{ ...startup, agentId, authenticatedAt }])).has(agentId);
}

/**
 * Stores the descriptions of different agents, as far as they are live; resolves to the ids of these, with `true`. A
 * process that starts as an agent sends its description before its lifecycle, so the start of its first session is
 * known by then.
 */
export async function updateStartups(
  db: Queryable,
  startups: readonly StartupReport[],
): Promise<ReadonlyMap<string, true>> {
  const rows = startups.map(({ agentId, authenticatedAt, ...startup }) => ({
    id: agentId,
    version: startup.version,
    expanded_directory: startup.expandedDirectory,
    subsystems: startup.subsystems,
    api_version: startup.apiVersion,
    authenticated_at: authenticatedAt,
  }));
  const stored = await startupUpdates(db, JSON.stringify(rows));
  return new Map(stored.map(({ id }) => [id, true]));
}

const startupUpdates = prepareQuery(
  (_, rows: string) => sql<{ readonly id: string }>`
    update workspace_agents a set
        version = new.version, expanded_directory = new.expanded_directory,
        subsystems = new.subsystems, api_version = new.api_version,
        first_connected_at = ${firstConnected(sql`new.authenticated_at`)}, updated_at = now()
      from jsonb_to_recordset(${rows}::jsonb) as new (id uuid, version text, expanded_directory text,
          subsystems text[], api_version text, authenticated_at timestamptz)
      where a.id = new.id and ${isOneOfFew("new.id")} and ${isLiveAgent(sql.ref("new.id"))}
        -- Checked again under the row's lock, which a claim may have held.
        and not a.deleted
      returning a.id`,
);
