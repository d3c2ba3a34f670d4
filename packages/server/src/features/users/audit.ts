import type { AuditAction } from "@slipway/api/audit/audit-log";
import type { Transaction } from "kysely";

import type { DB } from "../../platform/db/gen/schema.ts";
import { type AuditActor, type AuditEntry, type diffOf, recordAudit } from "../audit/service.ts";

/** Records in the audit trail a change that `caller` made to a user. */
export async function recordUserChange(
  trx: Transaction<DB>,
  caller: AuditActor,
  user: { readonly id: string; readonly username: string },
  action: AuditAction,
  diff: ReturnType<typeof diffOf> = {},
): Promise<void> {
  await recordAudit(trx, userEntry(caller, user, action, diff));
}

/** Returns the audit entry of a change to a user. */
export function userEntry(
  by: AuditActor,
  user: { readonly id: string; readonly username: string },
  action: AuditAction,
  diff: ReturnType<typeof diffOf>,
): AuditEntry {
  return {
    by,
    organizationId: undefined,
    action,
    resourceType: "user",
    resourceId: user.id,
    target: user.username,
    diff,
  };
}

/** The changed key of a user. Sessions have no name. */
interface ChangedKey {
  readonly userId: string;
  readonly name: string;
}

/** Records a change that `caller` made to a key of a user. */
export async function recordKeyChange(
  trx: Transaction<DB>,
  caller: AuditActor,
  key: ChangedKey,
  action: AuditAction,
  diff: ReturnType<typeof diffOf> = {},
): Promise<void> {
  await recordAudit(trx, { ...keyEntry(caller, key, action), diff });
}

/** Returns the audit entry of a change to a key. The user's id stands in for the key's, which is not a UUID. */
export function keyEntry(by: AuditActor, key: ChangedKey, action: AuditAction): AuditEntry {
  return {
    by,
    organizationId: undefined,
    action,
    resourceType: "api_key",
    resourceId: key.userId,
    target: key.name,
    diff: {},
  };
}
