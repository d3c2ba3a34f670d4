import type { AuditLog } from "@slipway/api";
import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import type { AuditSearch } from "./search.ts";

function entries(db: Queryable, search: AuditSearch) {
  return db
    .selectFrom("audit_log as a")
    .leftJoin("users as u", "u.id", "a.user_id")
    .leftJoin("organizations as o", "o.id", "a.organization_id")
    .leftJoin("workspaces as w", "w.id", "a.resource_id")
    .$if(search.action !== undefined, (q) => q.where(sql`a.action`, "=", search.action ?? ""))
    .$if(search.resourceType !== undefined, (q) =>
      q.where(sql`a.resource_type`, "=", search.resourceType ?? ""),
    )
    .$if(search.resourceId !== undefined, (q) =>
      q.where("a.resource_id", "=", search.resourceId ?? ""),
    )
    .$if(search.target !== undefined, (q) =>
      q.where(sql`lower(a.resource_target)`, "=", search.target ?? ""),
    )
    .$if(search.username !== undefined, (q) =>
      q.where(sql`lower(u.username)`, "=", search.username ?? ""),
    )
    .$if(search.email !== undefined, (q) => q.where(sql`lower(u.email)`, "=", search.email ?? ""))
    .$if(search.buildReason !== undefined, (q) =>
      q.where(sql`a.additional_fields ->> 'build_reason'`, "=", search.buildReason ?? ""),
    )
    .$if(search.from !== undefined, (q) => q.where("a.created_at", ">=", search.from ?? ""))
    .$if(search.to !== undefined, (q) => q.where("a.created_at", "<=", search.to ?? ""));
}

/** Selects a page of the matching entries, newest first. */
export function selectAuditEntries(
  db: Queryable,
  search: AuditSearch,
  page: { readonly limit: number; readonly offset: number },
) {
  return entries(db, search)
    .orderBy("a.created_at", "desc")
    .orderBy("a.id")
    .limit(page.limit)
    .offset(page.offset)
    .select([
      "a.id",
      "a.created_at",
      "a.user_id",
      "u.username",
      "a.action",
      "a.resource_type",
      "a.resource_id",
      "a.resource_target",
      "a.request_id",
      "a.ip",
      "a.user_agent",
      "a.status_code",
      sql<AuditLog["diff"]>`a.diff`.as("diff"),
      sql<AuditLog["additional_fields"]>`a.additional_fields`.as("additional_fields"),
      "w.deleted as workspace_deleted",
      "o.id as organization_id",
      "o.name as organization_name",
      "o.display_name as organization_display_name",
      "o.icon as organization_icon",
    ])
    .execute();
}

export type AuditRow = Awaited<ReturnType<typeof selectAuditEntries>>[number];

/** Counts the matching entries, up to `cap`. */
export async function countAuditEntries(
  db: Queryable,
  search: AuditSearch,
  cap: number,
): Promise<number> {
  const found = entries(db, search).select("a.id").limit(cap).as("found");
  const row = await db
    .selectFrom(found)
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}
