import type {
  Workspace,
  WorkspaceGrouping,
  WorkspaceOrder,
  WorkspacesResponse,
} from "@slipway/api/workspaces/workspace";
import type { Clock } from "@slipway/runtime";
import { sql } from "kysely";

import { maySeeWorkspacesOf } from "../../platform/auth/rights.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { Page } from "../../platform/fields/paging.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { hasDeclaredExternalAgents } from "../templates/external-agents-service.ts";
import { selectFavorites, selectWorkspacesWithBuilds } from "./queries.ts";
import type { Exclusion, WorkspaceSearch } from "./search.ts";
import { describeFound } from "./service.ts";

/** A part of a list in an order. */
export interface ListPage extends Page {
  readonly sort?: WorkspaceOrder | undefined;
  readonly group?: WorkspaceGrouping | undefined;
}

/** Lists a page of the matching workspaces that the caller may see, with their total number. */
export async function listWorkspaces(
  { db, clock }: { readonly db: Queryable; readonly clock: Clock },
  caller: UserCaller,
  search: WorkspaceSearch,
  page: ListPage,
): Promise<WorkspacesResponse> {
  if (search.nothing) return { workspaces: [], count: 0 };
  // A user without an id: checks whether the caller may see any user's workspaces.
  const viewer = { id: caller.id, seesOwnOnly: !maySeeWorkspacesOf(caller, "") };
  const now = clock.now();
  if (search.hasAgent === undefined && search.healthy === undefined) {
    // The count reads a row of each match, so the page does not wait for it.
    const [count, workspaces] = await Promise.all([
      countMatches(db, search, viewer),
      selectPage(db, search, viewer, page).then((ids) => describeInOrder(db, ids, now)),
    ]);
    return { workspaces, count };
  }
  // The states of agents depend on the time, so no index knows them.
  const ids = await selectPage(db, search, viewer, { ...page, limit: undefined, offset: 0 });
  const all = await describeInOrder(db, ids, now);
  const found = all.filter((workspace) => matchesAgents(workspace, search));
  const end = page.limit === undefined ? undefined : page.offset + page.limit;
  return { workspaces: found.slice(page.offset, end), count: found.length };
}

/** Returns the workspaces with these ids, in their order. */
async function describeInOrder(
  db: Queryable,
  ids: readonly string[],
  now: number,
): Promise<Workspace[]> {
  if (ids.length === 0) return [];
  const found = await selectWorkspacesWithBuilds(db, ids);
  const described = new Map(found.map((one) => [one.workspace.id, describeFound(one, now)]));
  return ids.flatMap((id) => described.get(id) ?? []);
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

/** Selects the ids of a page of the workspaces that match: the viewer's favorites first, then in the page's order. */
async function selectPage(
  db: Queryable,
  search: WorkspaceSearch,
  viewer: Viewer,
  { limit, offset, sort, group }: ListPage,
): Promise<readonly string[]> {
  const found = (): ReturnType<typeof inOrder> =>
    inOrder(inGroups(matches(db, search, viewer), group), search, sort);
  const favorites = await selectFavorites(db, viewer.id);
  const first = favorites.length === 0 ? [] : await found().where(isAnyOf(favorites)).execute();
  const end = limit === undefined ? undefined : offset + limit;
  const shown = first.slice(offset, end);
  const left = limit === undefined ? undefined : limit - shown.length;
  if (left === 0) return shown.map(({ id }) => id);
  const rest = await found()
    .$if(favorites.length > 0, (q) => q.where((eb) => eb.not(isAnyOf(favorites))))
    .$if(left !== undefined, (q) => q.limit(left ?? 0))
    .offset(Math.max(0, offset - first.length))
    .execute();
  return [...shown, ...rest].map(({ id }) => id);
}

function isAnyOf(ids: readonly string[]) {
  return sql<boolean>`state.workspace_id = any(${ids}::uuid[])`;
}

async function countMatches(
  db: Queryable,
  search: WorkspaceSearch,
  viewer: Viewer,
): Promise<number> {
  const { count } = await matches(db, search, viewer)
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  return count;
}

type Matches = ReturnType<typeof matches>;

/** Adds the order of groups, for which all matches are sorted. */
function inGroups(query: Matches, group: WorkspaceGrouping | undefined): Matches {
  switch (group) {
    case undefined:
      return query;
    case "template":
      return query.orderBy(sql`lower(t.name)`).orderBy("t.id");
    case "organization":
      return query.orderBy(sql`lower(o.name)`).orderBy("o.id");
  }
}

/** Adds the order of a list, which an index has (migrations 0066 and 0074). */
function inOrder(query: Matches, search: WorkspaceSearch, sort: WorkspaceOrder | undefined) {
  const chosen = query.select("state.workspace_id as id");
  switch (sort) {
    case undefined:
      return chosen
        .orderBy(sql`(state.status = 'running')`, "desc")
        .orderBy("state.owner_name")
        .orderBy("state.name")
        .orderBy("state.workspace_id");
    case "name":
      return chosen.orderBy("state.name").orderBy("state.owner_name").orderBy("state.workspace_id");
    case "status":
      return chosen
        .orderBy(sql`workspace_status_rank(state.status)`)
        .orderBy("state.owner_name")
        .orderBy("state.name")
        .orderBy("state.workspace_id");
    case "last_used":
      return chosen
        .where("w.deleted", "=", sql.lit(isOfDeleted(search)))
        .orderBy(sql`coalesce(w.last_used_at, w.created_at)`, "desc")
        .orderBy("w.id");
  }
}

function isOfDeleted({ status }: WorkspaceSearch): boolean {
  return status === "deleted";
}

/** Finds the workspaces that match, as far as rows tell. PostgreSQL leaves out a join that no condition uses. */
function matches(db: Queryable, search: WorkspaceSearch, viewer: Viewer) {
  const ownerId = viewer.seesOwnOnly || search.owner === "me" ? viewer.id : undefined;
  const ownerName = search.owner === "me" ? undefined : search.owner;
  return db
    .selectFrom("workspace_states as state")
    .leftJoin("workspaces as w", "w.id", "state.workspace_id")
    .leftJoin("templates as t", "t.id", "w.template_id")
    .leftJoin("organizations as o", "o.id", "w.organization_id")
    .leftJoin("template_versions as v", "v.id", "state.template_version_id")
    .where("state.deleted", "=", sql.lit(isOfDeleted(search)))
    .$if(ownerId !== undefined, (q) => q.where("state.owner_id", "=", ownerId ?? ""))
    .$if(ownerName !== undefined, (q) => q.where("state.owner_name", "=", ownerName ?? ""))
    .$if(search.name !== undefined, (q) =>
      q.where("state.name", "like", `%${escapeLike(search.name ?? "")}%`),
    )
    .$if(search.template !== undefined, (q) =>
      q.where(sql`lower(t.name)`, "=", search.template ?? ""),
    )
    .$if(search.organization !== undefined, (q) =>
      q.where(sql<boolean>`${search.organization} in (lower(o.name), o.id::text)`),
    )
    .$if(search.ids !== undefined, (q) => q.where(isAnyOf(search.ids ?? [])))
    .$if(search.status !== undefined, (q) =>
      q.where("state.status", "=", search.status ?? "running"),
    )
    .$if(search.dormant !== undefined, (q) =>
      q.where("w.dormant_at", search.dormant === true ? "is not" : "is", null),
    )
    .$if(search.favorite !== undefined, (q) =>
      q.where("w.favorite", "=", sql.lit(search.favorite === true)),
    )
    .$if(search.outdated !== undefined, (q) =>
      q.whereRef(
        "state.template_version_id",
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
      q.where(hasDeclaredExternalAgents("v.definition"), "=", search.hasExternalAgent ?? true),
    )
    .where((eb) =>
      eb.and(
        (search.exclusions ?? []).map(
          (exclusion) => sql<boolean>`not ${excluded(exclusion, viewer)}`,
        ),
      ),
    )
    .where((eb) =>
      eb.and(
        (search.params ?? []).map(
          ({ name, value }) => sql<boolean>`exists (
              select from workspace_build_parameters p
              where p.workspace_build_id = state.build_id and lower(p.name) = ${name}
                and (${value ?? null}::text is null or lower(p.value) = ${value ?? null}))`,
        ),
      ),
    );
}

/** Returns the condition of what an exclusion leaves out. */
function excluded({ owner, name, template, organization, status }: Exclusion, viewer: Viewer) {
  const conditions = [
    owner === "me" && sql`state.owner_id = ${viewer.id}`,
    owner !== undefined && owner !== "me" && sql`state.owner_name = ${owner}`,
    name !== undefined && sql`state.name like ${`%${escapeLike(name)}%`}`,
    template !== undefined && sql`lower(t.name) = ${template}`,
    organization !== undefined && sql`${organization} in (lower(o.name), o.id::text)`,
    status !== undefined && sql`state.status = ${status}`,
  ].filter((condition) => condition !== false);
  return sql`(${sql.join(conditions, sql` and `)})`;
}

function escapeLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, String.raw`\$&`);
}
