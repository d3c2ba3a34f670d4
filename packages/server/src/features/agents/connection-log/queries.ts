import { sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import type { ConnectionSearch } from "./search.ts";

/** The time of a connection: that of its end, if its begin was never reported. An index has the same expression. */
const time = sql<string>`coalesce(c.connected_at, c.disconnected_at)`;

/** Selects the matching connections, to the agents of former builds too. */
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
export function selectConnections(
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

export type ConnectionRow = Awaited<ReturnType<typeof selectConnections>>[number];

/** Counts the matching connections, up to `cap`. */
export async function countConnections(
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

interface TerminalRow {
  readonly id: string;
  readonly agentId: string;
  readonly userId: string;
  readonly ip: string | undefined;
  readonly at: string;
}

/** Inserts a terminal that the server has opened. */
export async function insertTerminal(
  db: Queryable,
  { id, agentId, userId, ip = "", at }: TerminalRow,
): Promise<void> {
  await db
    .insertInto("workspace_connections")
    .values({
      id,
      workspace_agent_id: agentId,
      type: "reconnecting_pty",
      user_id: userId,
      ip: ip === "" ? null : ip,
      connected_at: at,
    })
    .execute();
}

interface EndRow {
  readonly id: string;
  readonly agentId: string;
  readonly at: string;
  readonly statusCode: number;
  readonly reason: string;
}

/** Sets the end of a connection. */
export async function updateEnd(
  db: Queryable,
  { id, agentId, at, statusCode, reason }: EndRow,
): Promise<void> {
  await db
    .updateTable("workspace_connections")
    .where("workspace_agent_id", "=", agentId)
    .where("id", "=", id)
    .set({ disconnected_at: at, status_code: statusCode, reason })
    .execute();
}
