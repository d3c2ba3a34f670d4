import type { ConnectionLog } from "@slipway/api/agents/connection-log-routes";
import { type RawBuilder, sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import { searchConditions } from "../../../platform/fields/search-terms.ts";
import type { ConnectionConditions, ConnectionSearch } from "./connection-search.ts";

/** Returns a connection as the API shows it. */
export function connectionJson(row: ConnectionRow): ConnectionLog {
  return {
    id: row.id,
    connect_time: row.time,
    organization: {
      id: row.organization_id,
      name: row.organization_name,
      display_name: row.organization_display_name,
      icon: row.organization_icon,
    },
    workspace_owner_id: row.owner_id,
    workspace_owner_username: row.owner_name,
    workspace_id: row.workspace_id,
    workspace_name: row.workspace_name,
    agent_name: row.agent_name,
    ...(row.user_id === null || row.username === null
      ? {}
      : { user: { id: row.user_id, username: row.username } }),
    ...(row.ip === null ? {} : { ip: row.ip }),
    type: row.type,
    ssh_info: { connection_id: row.id, ...endOf(row) },
  };
}

function endOf(row: ConnectionRow): Omit<ConnectionLog["ssh_info"], "connection_id"> {
  if (row.disconnected_at === null) return {};
  return {
    disconnect_time: row.disconnected_at,
    ...(row.reason === null || row.reason === "" ? {} : { disconnect_reason: row.reason }),
    ...(row.status_code === null ? {} : { exit_code: row.status_code }),
  };
}

/** The time of a connection: of its end if its beginning was never reported. An index has the same expression. */
const time = sql<string>`coalesce(c.connected_at, c.disconnected_at)`;

/** Selects the matching connections, including those to agents of earlier builds. */
function connections(db: Queryable, search: ConnectionSearch) {
  return db
    .selectFrom("workspace_connections as c")
    .innerJoin("workspace_agents as agent", "agent.id", "c.workspace_agent_id")
    .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
    .innerJoin("workspaces as w", "w.id", "build.workspace_id")
    .innerJoin("users as owner", "owner.id", "w.owner_id")
    .innerJoin("organizations as o", "o.id", "w.organization_id")
    .leftJoin("users as u", "u.id", "c.user_id")
    .where((eb) => eb.and(searchConditions(search, conditionsOf)));
}

function conditionsOf(search: ConnectionConditions): readonly RawBuilder<boolean>[] {
  const { type, status, workspaceId, workspace, connectionId, organization, after, before } =
    search;
  const { ownerId, owner, ownerEmail, userId, username, userEmail } = search;
  return [
    type !== undefined && sql<boolean>`c.type = ${type}`,
    status === "ongoing" && sql<boolean>`c.disconnected_at is null`,
    status === "completed" && sql<boolean>`c.disconnected_at is not null`,
    workspaceId !== undefined && sql<boolean>`w.id = ${workspaceId}`,
    workspace !== undefined && sql<boolean>`lower(w.name) = ${workspace}`,
    connectionId !== undefined && sql<boolean>`c.id = ${connectionId}`,
    ownerId !== undefined && sql<boolean>`w.owner_id = ${ownerId}`,
    owner !== undefined && sql<boolean>`lower(owner.username) = ${owner}`,
    ownerEmail !== undefined && sql<boolean>`lower(owner.email) = ${ownerEmail}`,
    userId !== undefined && sql<boolean>`c.user_id = ${userId}`,
    username !== undefined && sql<boolean>`lower(u.username) = ${username}`,
    userEmail !== undefined && sql<boolean>`lower(u.email) = ${userEmail}`,
    organization !== undefined && sql<boolean>`${organization} in (lower(o.name), o.id::text)`,
    after !== undefined && sql<boolean>`${time} >= ${after}`,
    before !== undefined && sql<boolean>`${time} <= ${before}`,
  ].filter((condition) => condition !== false);
}

/** The maximum number of open terminals that are listed, the newest. */
const maxTerminals = 256;

/** Selects the ids of the open terminals of an agent. */
export async function selectOpenTerminals(
  db: Queryable,
  agentId: string,
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom("workspace_connections as c")
    .where("c.workspace_agent_id", "=", agentId)
    .where("c.type", "=", "reconnecting_pty")
    .where("c.disconnected_at", "is", null)
    .orderBy(time, "desc")
    .limit(maxTerminals)
    .select("c.id")
    .execute();
  return rows.map(({ id }) => id);
}

/** Selects a page of the matching connections, newest first. */
export function selectConnections(
  db: Queryable,
  search: ConnectionSearch,
  page: { readonly limit: number; readonly offset: number },
) {
  return readRows(connections(db, search), page);
}

/**
 * Selects the newest connections of a workspace. Each of its agents gives as many by an index; the search, by contrast,
 * reads connections of all workspaces until it has a page.
 */
export function selectWorkspaceConnections(db: Queryable, workspaceId: string, limit: number) {
  const newest = sql<{ workspace_agent_id: string; id: string }>`(
    select one.workspace_agent_id, one.id from workspace_builds build
      join workspace_resources resource on resource.job_id = build.job_id
      join workspace_agents agent on agent.resource_id = resource.id
      cross join lateral (
        select workspace_agent_id, id, coalesce(connected_at, disconnected_at) as time from workspace_connections
          where workspace_agent_id = agent.id
          order by coalesce(connected_at, disconnected_at) desc limit ${limit}) one
      where build.workspace_id = ${workspaceId}::uuid
      order by one.time desc limit ${limit})`.as("newest");
  const found = connections(db, {}).innerJoin(newest, (join) =>
    join
      .onRef("newest.workspace_agent_id", "=", "c.workspace_agent_id")
      .onRef("newest.id", "=", "c.id"),
  );
  return readRows(found, { limit, offset: 0 });
}

function readRows(
  matching: ReturnType<typeof connections>,
  page: { readonly limit: number; readonly offset: number },
) {
  return matching
    .orderBy(time, "desc")
    .orderBy("c.id")
    .limit(page.limit)
    .offset(page.offset)
    .select([
      "c.id",
      time.as("time"),
      "c.type",
      "c.ip",
      "c.user_id",
      "u.username",
      "c.disconnected_at",
      "c.status_code",
      "c.reason",
      "agent.name as agent_name",
      "w.id as workspace_id",
      "w.name as workspace_name",
      "owner.id as owner_id",
      "owner.username as owner_name",
      "o.id as organization_id",
      "o.name as organization_name",
      "o.display_name as organization_display_name",
      "o.icon as organization_icon",
    ])
    .execute();
}

export type ConnectionRow = Awaited<ReturnType<typeof selectConnections>>[number];

/** Counts the newest matching connections, up to `cap`: in this order an index gives as many as are counted. */
export async function countConnections(
  db: Queryable,
  search: ConnectionSearch,
  cap: number,
): Promise<number> {
  const found = connections(db, search).select("c.id").orderBy(time, "desc").limit(cap).as("found");
  const row = await db
    .selectFrom(found)
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}
