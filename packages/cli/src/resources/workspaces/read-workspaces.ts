import { listWorkspaces } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { ApiClient } from "@slipway/sdk/http";

/** The number of workspaces per request. */
const pageSize = 100;

/** Reads all workspaces that a search finds. */
export async function readWorkspaces(
  client: ApiClient,
  q: string,
  signal: AbortSignal,
): Promise<Workspace[]> {
  const found: Workspace[] = [];
  for (;;) {
    const query = { q, limit: String(pageSize), offset: String(found.length) };
    const { workspaces, count } = await client.call(listWorkspaces, { query, signal });
    found.push(...workspaces);
    if (workspaces.length === 0 || found.length >= count) return found;
  }
}

/** Returns the search for `--all` and `--search`; a search covers all users' workspaces unless it says `owner:me`. */
export function searchOf({
  all,
  search,
}: {
  readonly all: boolean;
  readonly search: string | undefined;
}): string {
  return search ?? (all ? "" : "owner:me");
}
