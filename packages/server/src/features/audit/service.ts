import type { Transaction } from "kysely";

import type { DB } from "../../platform/db/gen/schema.ts";
import type { AuditChange, AuditDiff, AuditEntry } from "./entry.ts";
import { insertAuditEntry } from "./insert-query.ts";

export type { AuditActor, AuditEntry } from "./entry.ts";
export { auditRows } from "./insert-query.ts";

/** Writes an audit entry, in the transaction of the change itself. */
export async function recordAudit(trx: Transaction<DB>, entry: AuditEntry): Promise<void> {
  await insertAuditEntry(trx, entry);
}

/** Returns the fields in which two values differ. */
export function diffOf(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): AuditDiff {
  const changes: Record<string, AuditChange> = {};
  for (const [field, value] of Object.entries(after)) {
    const old = before[field] ?? null;
    if (JSON.stringify(old) === JSON.stringify(value ?? null)) continue;
    changes[field] = { old, new: value ?? null, secret: false };
  }
  return changes;
}
