import type { AuditAction, AuditResourceType } from "@slipway/api/audit/audit-log";
import { sql, type Transaction } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import type { NewRows } from "../../platform/db/insert-rows.ts";
import type { KeyCreator } from "../../platform/http/caller.ts";
import type { RequestOrigin } from "../../platform/http/request-origin.ts";

/** Writes an audit entry, in the transaction of the change itself. */
export async function recordAudit(trx: Transaction<DB>, entry: AuditEntry): Promise<void> {
  await insertAuditEntry(trx, entry);
}

/** A record of an action on a resource. */
export interface AuditEntry {
  /** The actor. */
  readonly by: AuditActor;
  readonly organizationId: string | undefined;
  readonly action: AuditAction;
  readonly resourceType: AuditResourceType;
  readonly resourceId: string;
  /** The name of the resource at the time. */
  readonly target: string;
  /** The changes, by field. Never the values of a secret. */
  readonly diff: AuditDiff;
  /** Other details that help a reader. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** The actor and the request, as in a `UserCaller`; without a request the server acted on their behalf. */
export interface AuditActor {
  /** Undefined: an unknown person, who failed to log in. */
  readonly id: string | undefined;
  readonly origin: RequestOrigin | undefined;
  /** Another user who created the actor's key. */
  readonly keyCreatedBy?: KeyCreator;
}

type AuditDiff = Readonly<Record<string, AuditChange>>;

interface AuditChange {
  readonly old: unknown;
  readonly new: unknown;
  readonly secret: boolean;
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

/** Writes an entry that accompanies no change. */
export async function insertAuditEntry(db: Queryable, entry: AuditEntry): Promise<void> {
  await insertAuditEntries(db, [entry]);
}

/** Writes several such entries in one statement, but for starts of runs that are already recorded. */
export async function insertAuditEntries(
  db: Queryable,
  entries: readonly AuditEntry[],
): Promise<void> {
  const rows = entries.map((entry) => {
    const { diff, additional_fields, ...columns } = auditColumns(entry);
    return {
      ...columns,
      diff: JSON.stringify(diff),
      additional_fields: JSON.stringify(additional_fields),
    };
  });
  await db
    .insertInto("audit_log")
    .values(rows)
    .onConflict((conflict) => conflict.expression(recordedRun).where(isRecordedOnce).doNothing())
    .execute();
}

/** The columns of the index `audit_log_run`, and the condition of its rows. */
const recordedRun = sql`
  resource_id, user_id, (additional_fields->>'instance_id'), (additional_fields->>'run_id')`;
const isRecordedOnce = sql<boolean>`
  action = 'start' and resource_type = 'workspace_agent' and additional_fields ? 'instance_id'`;

/** Returns entries as rows, for a statement that also makes the changes themselves. */
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
