import type { Workspace, WorkspacesResponse } from "@slipway/api/workspaces/workspace";
import { driversWith } from "@slipway/drivers";
import { sql } from "kysely";

import { maySeeWorkspacesOf } from "../../platform/auth/rights.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { Page } from "../../platform/fields/paging.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { joinNewestBuild, workspaces } from "./queries.ts";
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
    const shown = await describeWorkspaces(db, rows.slice(offset, end), now);
    return { workspaces: shown, count: rows.length };
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

/** The user who lists workspaces. */
interface Viewer {
  readonly id: string;
  /** True if the viewer may see only their own workspaces. */
  readonly seesOwnOnly: boolean;
}

/**
 * Selects the workspaces that match, as far as rows tell: the viewer's favorites first, then running ones, then by
 * owner and name. The states of agents depend on the time, and the caller must check them.
 */
function selectWorkspaces(db: Queryable, search: WorkspaceSearch, viewer: Viewer) {
  const owner = search.owner === "me" ? viewer.id : undefined;
  return joinNewestBuild(workspaces(db))
    .where("w.deleted", "=", sql.lit(search.status === "deleted"))
    .$if(viewer.seesOwnOnly, (q) => q.where("w.owner_id", "=", viewer.id))
    .$if(owner !== undefined, (q) => q.where("w.owner_id", "=", viewer.id))
    .$if(search.owner !== undefined && owner === undefined, (q) =>
      q.where(sql`lower(owner.username)`, "=", search.owner ?? ""),
    )
    .$if(search.name !== undefined, (q) =>
      q.where(sql`lower(w.name)`, "like", `%${escapeLike(search.name ?? "")}%`),
    )
    .$if(search.template !== undefined, (q) =>
      q.where(sql`lower(t.name)`, "=", search.template ?? ""),
    )
    .$if(search.organization !== undefined, (q) =>
      q.where(sql<boolean>`${search.organization} in (lower(o.name), o.id::text)`),
    )
    .$if(search.ids !== undefined, (q) => q.where("w.id", "in", search.ids ?? []))
    .$if(search.status !== undefined, (q) =>
      q.where("newest.status", "=", search.status ?? "running"),
    )
    .$if(search.dormant !== undefined, (q) =>
      q.where("w.dormant_at", search.dormant === true ? "is not" : "is", null),
    )
    .$if(search.favorite !== undefined, (q) =>
      q.where("w.favorite", "=", sql.lit(search.favorite === true)),
    )
    .$if(search.outdated !== undefined, (q) =>
      q.whereRef(
        "newest.template_version_id",
        search.outdated === true ? "!=" : "=",
        "t.active_version_id",
      ),
    )
    .$if(search.lastUsedBefore !== undefined, (q) =>
      q.where("w.last_used_at", "<", search.lastUsedBefore ?? ""),
    )
    .$if(search.lastUsedAfter !== undefined, (q) =>
      q.where("w.last_used_at", ">", search.lastUsedAfter ?? ""),
    )
    .$if(search.hasExternalAgent !== undefined, (q) =>
      q.where(
        sql<boolean>`(newest.driver = any(${driversWith("hasExternalAgents")}::text[]))
          is not distinct from ${search.hasExternalAgent}`,
      ),
    )
    .where((eb) =>
      eb.and(
        (search.params ?? []).map(
          ({ name, value }) => sql<boolean>`exists (
              select from workspace_build_parameters p
              where p.workspace_build_id = newest.id and lower(p.name) = ${name}
                and (${value ?? null}::text is null or lower(p.value) = ${value ?? null}))`,
        ),
      ),
    )
    .orderBy(sql`w.favorite and w.owner_id = ${viewer.id}`, "desc")
    .orderBy(sql`newest.status = 'running'`, "desc")
    .orderBy(sql`lower(owner.username)`)
    .orderBy(sql`lower(w.name)`)
    .execute();
}

function escapeLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, String.raw`\$&`);
}
