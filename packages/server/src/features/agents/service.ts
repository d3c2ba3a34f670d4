import type { WorkspaceAgent } from "@slipway/api/agents/agent";

import { mayActFor, maySeeWorkspacesOf } from "../../platform/auth/rights.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import { Invalid, NotFound, notFound } from "../../platform/errors/errors.ts";
import { requireUuid } from "../../platform/fields/uuid.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import type { Platform } from "../../platform/platform.ts";
import { GatheredReads } from "../../platform/pubsub/gathered-reads.ts";
import type { AuditEntry } from "../audit/service.ts";
import { agentJson } from "./agent-json.ts";
import { agentStatus } from "./agent-status.ts";
import { type PlacedAgent, selectAgent, selectAgentPlace, selectPlacedAgent } from "./queries.ts";

export { agentJson, type AgentWorkspace } from "./agent-json.ts";
export { agentsOn } from "./queries.ts";

export type AgentPlace = NonNullable<Awaited<ReturnType<typeof selectAgentPlace>>>;

/** Returns the audit entry of a change that a user makes in a workspace through its agent. */
export function agentChangeEntry(
  by: UserCaller,
  agentId: string,
  place: AgentPlace,
  fields: Readonly<Record<string, string>>,
): AuditEntry {
  return {
    by,
    organizationId: undefined,
    action: "write",
    resourceType: "workspace_agent",
    resourceId: agentId,
    target: `${place.workspace_name}.${place.agent_name}`,
    diff: {},
    fields: { workspace_id: place.workspace_id, ...fields },
  };
}

/**
 * Returns the workspace of an agent that the caller may see; throws the `NotFound` of docs/protocol/rest.md §1.5.
 */
export async function requireAgentPlace(
  db: Queryable,
  caller: UserCaller,
  agentId: string,
): Promise<AgentPlace> {
  const place = await selectAgentPlace(db, agentId);
  if (place === undefined || !maySeeWorkspacesOf(caller, place.owner_id)) throw unknownAgent();
  return place;
}

/**
 * Requires the permission to connect to an agent, which is more than that to see its workspace
 * (docs/protocol/clients.md §6). Resolves to the workspace's owner.
 */
export async function requireReachable(
  db: Database,
  user: UserCaller,
  agent: string,
): Promise<string> {
  const { owner_id: ownerId } = await requireAgentPlace(db, user, requireUuid(agent));
  if (!mayActFor(user, ownerId)) throw notFound();
  return ownerId;
}

export type ReachNeeds = Pick<Platform, "db" | "clock">;

/** Requires that the user may see an agent, and that it is connected. */
export async function requireConnected(
  { db, clock }: ReachNeeds,
  user: UserCaller,
  agent: string,
): Promise<void> {
  const problem = await connectionProblem(db, user, requireUuid(agent), clock.now());
  if (problem !== undefined) throw new Invalid(problem);
}

/**
 * Returns the reason of docs/protocol/rest.md §6.4 why an agent that the caller may see is not connected at `now`;
 * undefined if it is.
 */
export async function connectionProblem(
  db: Queryable,
  caller: UserCaller,
  agentId: string,
  now: number,
): Promise<string | undefined> {
  await requireAgentPlace(db, caller, agentId);
  const row = await selectAgent(db, agentId);
  if (row === undefined) throw unknownAgent();
  const { status } = agentStatus(row, now);
  if (status === "connected") return undefined;
  return `Agent state is "${status}", it must be in the "connected" state.`;
}

function unknownAgent(): NotFound {
  return new NotFound("Agent doesn't exist with that id, or you do not have access to it.");
}

/** Finds an agent with all its parts and its place. */
export type FindAgent = (agentId: string) => Promise<PlacedAgent | undefined>;

/** Returns a `FindAgent` whose concurrent calls for one agent share a statement, regardless of the caller. */
export function gatherAgents(db: Queryable): FindAgent {
  const reads = new GatheredReads<PlacedAgent | undefined>();
  return (agentId) => reads.read(agentId, () => selectPlacedAgent(db, agentId));
}

/** Reads an agent as the caller sees it at `now`; throws `NotFound`. */
export async function readAgent(
  findAgent: FindAgent,
  caller: UserCaller,
  agentId: string,
  now: number,
): Promise<WorkspaceAgent> {
  const row = await findAgent(agentId);
  if (row === undefined || !maySeeWorkspacesOf(caller, row.owner_id)) throw unknownAgent();
  const place = {
    workspaceId: row.workspace_id,
    workspaceName: row.workspace_name,
    ownerName: row.owner_name,
  };
  return agentJson(row, place, now);
}
