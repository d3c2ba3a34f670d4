import type { WorkspaceAgent } from "@slipway/api";

import { mayActFor } from "../auth/rights.ts";
import type { Queryable } from "../db/database.ts";
import type { UserCaller } from "../http/caller.ts";
import { HttpError } from "../http/errors.ts";
import { type AgentParts, agentJson } from "./agent-json.ts";
import {
  type AgentRow,
  selectAgent,
  selectAgentPlace,
  selectAgentsOfResources,
  selectApps,
  selectLogSources,
  selectScripts,
} from "./read-queries.ts";

export type AgentPlace = NonNullable<Awaited<ReturnType<typeof selectAgentPlace>>>;

/** Where an agent belongs, if the caller may see it; throws the 404 of `rest.md` section 1.5. */
export async function requireAgentPlace(
  db: Queryable,
  caller: UserCaller,
  agentId: string,
): Promise<AgentPlace> {
  const place = await selectAgentPlace(db, agentId);
  if (place === undefined || !mayActFor(caller, place.owner_id)) throw unknownAgent();
  return place;
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

async function assemble(
  db: Queryable,
  rows: readonly AgentRow[],
  placeOf: (row: AgentRow) => AgentParts["place"],
  now: number,
): Promise<readonly WorkspaceAgent[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  const [apps, scripts, logSources] = await Promise.all([
    selectApps(db, ids),
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
      scripts: ofAgent(scripts, row.id),
      logSources: ofAgent(logSources, row.id),
      place: placeOf(row),
    };
    return agentJson(row, parts, now);
  });
}
