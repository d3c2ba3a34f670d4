import type { AuditAction } from "@slipway/api";
import type { Transaction } from "kysely";

import { type diffOf, recordAudit } from "../audit/service.ts";
import type { DB } from "../db/gen/schema.ts";
import type { UserCaller } from "../http/caller.ts";

/** Notes in the audit trail what `caller` did to a user. */
export async function recordUserChange(
  trx: Transaction<DB>,
  caller: UserCaller,
  user: { readonly id: string; readonly username: string },
  action: AuditAction,
  diff: ReturnType<typeof diffOf> = {},
): Promise<void> {
  await recordAudit(trx, {
    userId: caller.id,
    organizationId: undefined,
    action,
    resourceType: "user",
    resourceId: user.id,
    target: user.username,
    diff,
  });
}
