import { type AppearanceUpdate, nilUuid } from "@slipway/api";

import { isOwnerRole } from "../../platform/auth/rights.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import { selectSetting, upsertSetting } from "../../platform/db/settings-queries.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { forbidden } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { diffOf, recordAudit } from "../audit/service.ts";

const key = "appearance";
const none: AppearanceUpdate = { announcement_banners: [] };

/** Reads what owners have set (docs/protocol/rpc.md §7.8). */
export async function readAppearance(db: Queryable): Promise<AppearanceUpdate> {
  const text = await selectSetting(db, key);
  if (text === undefined) return none;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written below
  return JSON.parse(text) as AppearanceUpdate;
}

/** Sets the banners. Throws `Forbidden` for callers who are no owners. */
export async function updateAppearance(
  db: Database,
  caller: UserCaller,
  { announcement_banners }: AppearanceUpdate,
): Promise<AppearanceUpdate> {
  if (!isOwnerRole(caller)) throw forbidden("Only owners can set the banners of the deployment.");
  const after: AppearanceUpdate = { announcement_banners };
  return inTransaction(db, async (trx) => {
    const before = await readAppearance(trx);
    await upsertSetting(trx, key, JSON.stringify(after));
    await recordAudit(trx, {
      by: caller,
      organizationId: undefined,
      action: "write",
      resourceType: "appearance",
      resourceId: nilUuid,
      target: "appearance",
      diff: diffOf(before, after),
    });
    return after;
  });
}
