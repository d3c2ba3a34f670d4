import type { Workspace, WorkspacesResponse } from "@slipway/api/workspaces/workspace";

import { maySeeWorkspacesOf } from "../../platform/auth/rights.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import type { Page } from "../../platform/http/paging.ts";
import { selectWorkspaces } from "./list-queries.ts";
import type { WorkspaceSearch } from "./search.ts";
import { describeWorkspaces, type WorkspaceNeeds } from "./service.ts";

/** Lists a page of the matching workspaces that the caller may see, with their total number. */
export async function listWorkspaces(
  { db, clock }: WorkspaceNeeds,
  caller: UserCaller,
  search: WorkspaceSearch,
  { limit, offset }: Page,
): Promise<WorkspacesResponse> {
  if (search.nothing) return { workspaces: [], count: 0 };
  // A user without an id: checks whether the caller may see any user's workspaces.
  const seesOwnOnly = !maySeeWorkspacesOf(caller, "");
  const rows = await selectWorkspaces(db, search, { id: caller.id, seesOwnOnly });
  const end = limit === undefined ? undefined : offset + limit;
  const now = clock.now();
  if (search.hasAgent === undefined && search.healthy === undefined) {
    const workspaces = await describeWorkspaces(db, rows.slice(offset, end), now);
    return { workspaces, count: rows.length };
  }
  const all = await describeWorkspaces(db, rows, now);
  const found = all.filter((workspace) => matchesAgents(workspace, search));
  return { workspaces: found.slice(offset, end), count: found.length };
}

function matchesAgents(
  { latest_build, health }: Workspace,
  { hasAgent, healthy }: WorkspaceSearch,
): boolean {
  if (healthy !== undefined && health.healthy !== healthy) return false;
  if (hasAgent === undefined) return true;
  return latest_build.resources.some(({ agents }) =>
    agents.some(({ status }) => hasAgent.includes(status)),
  );
}
