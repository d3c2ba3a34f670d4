import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import type { NewRows } from "../../platform/db/insert-rows.ts";
import type { AuditEntry } from "./entry.ts";

export async function insertAuditEntry(db: Queryable, entry: AuditEntry): Promise<void> {
  const { diff, additional_fields, ...columns } = auditColumns(entry);
  await db
    .insertInto("audit_log")
    .values({
      ...columns,
      // Keeps entries of one transaction in order.
      created_at: sql`clock_timestamp()`,
      diff: JSON.stringify(diff),
      additional_fields: JSON.stringify(additional_fields),
    })
    .execute();
}

/** Returns the entry as rows, for an entry that is the only one of its transaction. */
export function auditRows(entry: AuditEntry): readonly NewRows[] {
  return [{ table: "audit_log", rows: [auditColumns(entry)] }];
}

function auditColumns({ by: { id, origin, keyCreatedBy }, ...entry }: AuditEntry) {
  return {
    user_id: id ?? null,
    organization_id: entry.organizationId ?? null,
    action: entry.action,
    resource_type: entry.resourceType,
    resource_id: entry.resourceId,
    resource_target: entry.target,
    diff: { ...entry.diff },
    additional_fields: {
      ...entry.fields,
      ...(keyCreatedBy === undefined ? {} : { key_created_by: { ...keyCreatedBy } }),
    },
    ...(origin === undefined
      ? {}
      : {
          request_id: origin.requestId,
          ip: origin.ip,
          user_agent: origin.userAgent,
          status_code: origin.status,
        }),
  };
}
