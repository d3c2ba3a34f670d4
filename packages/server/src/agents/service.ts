import type { WorkspaceAgent } from "@slipway/api";

import { maySeeWorkspacesOf } from "../auth/rights.ts";
import type { Queryable } from "../db/database.ts";
import type { UserCaller } from "../http/caller.ts";
import { HttpError } from "../http/errors.ts";
import { type AgentParts, agentJson } from "./agent-json.ts";
import { selectAppStatuses } from "./app-status-queries.ts";
import {
  type AgentRow,
  selectAgent,
  selectAgentPlace,
  selectAgentsOfResources,
  selectApps,
  selectLogSources,
  selectScripts,
} from "./read-queries.ts";
import { agentStatus } from "./status.ts";

export type AgentPlace = NonNullable<Awaited<ReturnType<typeof selectAgentPlace>>>;

/** Where an agent belongs, if the caller may see it; throws the 404 of `rest.md` section 1.5. */
export async function requireAgentPlace(
  db: Queryable,
  caller: UserCaller,
  agentId: string,
): Promise<AgentPlace> {
  const place = await selectAgentPlace(db, agentId);
  if (place === undefined || !maySeeWorkspacesOf(caller, place.owner_id)) throw unknownAgent();
  return place;
}

/** Throws the 400 of `rest.md` section 6.4 unless the agent, which the caller may see, is connected at `now`. */
export async function requireConnectedAgent(
  db: Queryable,
  caller: UserCaller,
  agentId: string,
  now: number,
): Promise<void> {
  await requireAgentPlace(db, caller, agentId);
  const row = await selectAgent(db, agentId);
  if (row === undefined) throw unknownAgent();
  const { status } = agentStatus(row, now);
  if (status === "connected") return;
  throw new HttpError(400, `Agent state is "${status}", it must be in the "connected" state.`);
}

function unknownAgent(): HttpError {
  return new HttpError(404, "Agent doesn't exist with that id, or you do not have access to it.");
}

/** An agent as the caller sees it at `now`; throws the 404. */
export async function readAgent(
  db: Queryable,
  caller: UserCaller,
  agentId: string,
  now: number,
): Promise<WorkspaceAgent> {
  const place = await requireAgentPlace(db, caller, agentId);
  const row = await selectAgent(db, agentId);
  const [agent] = row === undefined ? [] : await assemble(db, [row], () => names(place), now);
  if (agent === undefined) throw unknownAgent();
  return agent;
}

function names(place: AgentPlace): AgentParts["place"] {
  return { workspaceName: place.workspace_name, ownerName: place.owner_name };
}

/** The agents of resources, as clients see them. */
export async function readAgentsOfResources(
  db: Queryable,
  resourceIds: readonly string[],
  placeOf: (resourceId: string) => AgentParts["place"],
  now: number,
): Promise<readonly WorkspaceAgent[]> {
  if (resourceIds.length === 0) return [];
  const rows = await selectAgentsOfResources(db, resourceIds);
  return assemble(db, rows, (row) => placeOf(row.resource_id), now);
}

/** Most statuses of an app in one answer. */
const maxAppStatuses = 100;

async function assemble(
  db: Queryable,
  rows: readonly AgentRow[],
  placeOf: (row: AgentRow) => AgentParts["place"],
  now: number,
): Promise<readonly WorkspaceAgent[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  const [apps, appStatuses, scripts, logSources] = await Promise.all([
    selectApps(db, ids),
    selectAppStatuses(db, ids, maxAppStatuses),
    selectScripts(db, ids),
    selectLogSources(db, ids),
  ]);
  const ofAgent = <T extends { readonly workspace_agent_id: string }>(
    items: readonly T[],
    id: string,
  ): T[] => items.filter((item) => item.workspace_agent_id === id);
  return rows.map((row) => {
    const parts = {
      apps: ofAgent(apps, row.id),
      appStatuses: ofAgent(appStatuses, row.id),
      scripts: ofAgent(scripts, row.id),
      logSources: ofAgent(logSources, row.id),
      place: placeOf(row),
    };
    return agentJson(row, parts, now);
  });
}
