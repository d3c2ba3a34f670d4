import { nilUuid } from "@slipway/api/contract/nil-uuid";
import type { PrebuildsSettings } from "@slipway/api/prebuilds/routes";

import { isOwnerRole, mayReadPrebuilds } from "../../platform/auth/rights.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import { lockSettings, selectSetting, upsertSetting } from "../../platform/db/settings-queries.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { forbidden, notFound } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { diffOf, recordAudit } from "../audit/service.ts";

const key = "prebuilds_settings";

/** Reads the settings that owners change at run time (docs/protocol/prebuilds.md §2.7). */
export async function readPrebuildsSettings(db: Queryable): Promise<PrebuildsSettings> {
  const text = await selectSetting(db, key);
  return { reconciliation_paused: text === JSON.stringify(paused(true)) };
}

/** Changes the settings; returns false if they are unchanged. */
export async function changePrebuildsSettings(
  db: Database,
  caller: UserCaller,
  { reconciliation_paused }: PrebuildsSettings,
): Promise<boolean> {
  requirePoolReader(caller);
  if (!isOwnerRole(caller))
    throw forbidden("Only owners can pause and resume the filling of pools.");
  return inTransaction(db, async (trx) => {
    await lockSettings(trx);
    const before = await readPrebuildsSettings(trx);
    if (before.reconciliation_paused === reconciliation_paused) return false;
    await upsertSetting(trx, key, JSON.stringify(paused(reconciliation_paused)));
    await recordAudit(trx, {
      by: caller,
      organizationId: undefined,
      action: "write",
      resourceType: "prebuilds_settings",
      resourceId: nilUuid,
      target: "prebuilds",
      diff: diffOf(before, { reconciliation_paused }),
    });
    return true;
  });
}

/** Throws `NotFound` for callers who may not see pools. */
export function requirePoolReader(caller: UserCaller): void {
  if (!mayReadPrebuilds(caller)) throw notFound();
}

function paused(isPaused: boolean): PrebuildsSettings {
  return { reconciliation_paused: isPaused };
}
