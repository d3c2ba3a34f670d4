import { type AuditAction, nilUuid } from "@slipway/api";
import type { Transaction } from "kysely";

import { type AuditActor, type diffOf, recordAudit } from "../audit/service.ts";
import type { DB } from "../db/gen/schema.ts";

/** Notes in the audit trail what `caller` did to a user. */
export async function recordUserChange(
  trx: Transaction<DB>,
  caller: AuditActor,
  user: { readonly id: string; readonly username: string },
  action: AuditAction,
  diff: ReturnType<typeof diffOf> = {},
): Promise<void> {
  await recordAudit(trx, {
    by: caller,
    organizationId: undefined,
    action,
    resourceType: "user",
    resourceId: user.id,
    target: user.username,
    diff,
  });
}

/**
 * Notes what `caller` did to a key of a user, whose id stands for the key's, which is no UUID. Sessions have no name.
 */
export async function recordKeyChange(
  trx: Transaction<DB>,
  caller: AuditActor,
  key: { readonly userId: string | undefined; readonly name: string },
  action: AuditAction,
  diff: ReturnType<typeof diffOf> = {},
): Promise<void> {
  await recordAudit(trx, {
    by: caller,
    organizationId: undefined,
    action,
    resourceType: "api_key",
    resourceId: key.userId ?? nilUuid,
    target: key.name,
    diff,
  });
}
