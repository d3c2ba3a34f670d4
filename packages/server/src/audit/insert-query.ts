import { sql } from "kysely";

import type { Queryable } from "../db/database.ts";
import type { AuditEntry } from "./entry.ts";

export async function insertAuditEntry(db: Queryable, entry: AuditEntry): Promise<void> {
  const { origin } = entry.by;
  await db
    .insertInto("audit_log")
    .values({
      // Entries of one transaction keep their order.
      created_at: sql`clock_timestamp()`,
      user_id: entry.by.id ?? null,
      organization_id: entry.organizationId ?? null,
      action: entry.action,
      resource_type: entry.resourceType,
      resource_id: entry.resourceId,
      resource_target: entry.target,
      diff: JSON.stringify(entry.diff),
      additional_fields: JSON.stringify(entry.fields ?? {}),
      ...(origin === undefined
        ? {}
        : {
            request_id: origin.requestId,
            ip: origin.ip,
            user_agent: origin.userAgent,
            status_code: origin.status,
          }),
    })
    .execute();
}
