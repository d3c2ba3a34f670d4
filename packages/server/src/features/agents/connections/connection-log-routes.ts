import {
  type ConnectionLog,
  type ConnectionLogsResponse,
  listConnectionLogs,
} from "@slipway/api/agents/connection-log-routes";
import { sql } from "kysely";

import { mayReadAudit } from "../../../platform/auth/rights.ts";
import type { Queryable } from "../../../platform/db/database.ts";
import { forbidden } from "../../../platform/errors/errors.ts";
import { type Page, readPage } from "../../../platform/fields/paging.ts";
import type { UserCaller } from "../../../platform/http/caller.ts";
import type { Routes } from "../../../platform/http/routes.ts";
import { type ConnectionSearch, parseConnectionSearch } from "./connection-search.ts";

/** Adds the route that lists the connections to agents. */
export function addConnectionLogRoutes(routes: Routes, db: Queryable): void {
  routes.user(listConnectionLogs, ({ query }, user) =>
    listConnections(db, user, parseConnectionSearch(query.q ?? ""), readPage(query)),
  );
}

/** The maximum number of connections that are counted. */
const countCap = 2000;
/** The maximum and default number of entries per page. */
const maxPageSize = 100;

/** Returns a page of the connections to agents; throws `Forbidden` for callers who may not read the audit trail. */
async function listConnections(
  db: Queryable,
  caller: UserCaller,
  search: ConnectionSearch,
  { limit = maxPageSize, offset }: Page,
): Promise<ConnectionLogsResponse> {
  if (!mayReadAudit(caller)) throw forbidden("Only owners and auditors can read connections.");
  const { id } = caller;
  const own = {
    ...search,
    ...(search.owner === "me" ? { owner: undefined, ownerId: id } : {}),
    ...(search.username === "me" ? { username: undefined, userId: id } : {}),
  };
  const page = { limit: Math.min(limit, maxPageSize), offset };
  const [rows, count] = await Promise.all([
    selectConnections(db, own, page),
    countConnections(db, own, countCap),
  ]);
  return { connection_logs: rows.map(connectionJson), count, count_cap: countCap };
}

function connectionJson(row: ConnectionRow): ConnectionLog {
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
    .$if(search.type !== undefined, (q) => q.where("c.type", "=", search.type ?? "ssh"))
    .$if(search.status !== undefined, (q) =>
      q.where("c.disconnected_at", search.status === "ongoing" ? "is" : "is not", null),
    )
    .$if(search.workspaceId !== undefined, (q) => q.where("w.id", "=", search.workspaceId ?? ""))
    .$if(search.workspace !== undefined, (q) =>
      q.where(sql`lower(w.name)`, "=", search.workspace ?? ""),
    )
    .$if(search.connectionId !== undefined, (q) => q.where("c.id", "=", search.connectionId ?? ""))
    .$if(search.ownerId !== undefined, (q) => q.where("w.owner_id", "=", search.ownerId ?? ""))
    .$if(search.owner !== undefined, (q) =>
      q.where(sql`lower(owner.username)`, "=", search.owner ?? ""),
    )
    .$if(search.ownerEmail !== undefined, (q) =>
      q.where(sql`lower(owner.email)`, "=", search.ownerEmail ?? ""),
    )
    .$if(search.userId !== undefined, (q) => q.where("c.user_id", "=", search.userId ?? ""))
    .$if(search.username !== undefined, (q) =>
      q.where(sql`lower(u.username)`, "=", search.username ?? ""),
    )
    .$if(search.userEmail !== undefined, (q) =>
      q.where(sql`lower(u.email)`, "=", search.userEmail ?? ""),
    )
    .$if(search.organization !== undefined, (q) =>
      q.where(sql<boolean>`${search.organization} in (lower(o.name), o.id::text)`),
    )
    .$if(search.after !== undefined, (q) => q.where(time, ">=", search.after ?? ""))
    .$if(search.before !== undefined, (q) => q.where(time, "<=", search.before ?? ""));
}

/** Selects a page of the matching connections, newest first. */
function selectConnections(
  db: Queryable,
  search: ConnectionSearch,
  page: { readonly limit: number; readonly offset: number },
) {
  return connections(db, search)
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

type ConnectionRow = Awaited<ReturnType<typeof selectConnections>>[number];

/** Counts the matching connections, up to `cap`. */
async function countConnections(
  db: Queryable,
  search: ConnectionSearch,
  cap: number,
): Promise<number> {
  const found = connections(db, search).select("c.id").limit(cap).as("found");
  const row = await db
    .selectFrom(found)
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}
