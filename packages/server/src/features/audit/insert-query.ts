import type { Queryable } from "../../platform/db/database.ts";
import type { NewRows } from "../../platform/db/insert-rows.ts";
import type { AuditEntry } from "./entry.ts";

export async function insertAuditEntry(db: Queryable, entry: AuditEntry): Promise<void> {
  const { diff, additional_fields, ...columns } = auditColumns(entry);
  await db
    .insertInto("audit_log")
    .values({
      ...columns,
      diff: JSON.stringify(diff),
      additional_fields: JSON.stringify(additional_fields),
    })
    .execute();
}

/** Returns entries of one actor as rows, for a statement that also makes the changes themselves. */
export function auditRows(entries: readonly AuditEntry[]): readonly NewRows[] {
  return [{ table: "audit_log", rows: entries.map(auditColumns) }];
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
