import { randomUUID } from "node:crypto";

import { nilUuid } from "@slipway/api/contract/nil-uuid";
import type { AppearanceUpdate } from "@slipway/api/deployment/deployment";

import { isOwnerRole } from "../../platform/auth/rights.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import { lockSettings, selectSetting, upsertSetting } from "../../platform/db/settings-queries.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { forbidden } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { diffOf, recordAudit } from "../audit/service.ts";

/** Reads the id of this deployment, the same on each replica. */
export async function readDeploymentId(db: Queryable): Promise<string> {
  return readOrInsert(db, "deployment-id", randomUUID());
}

/** Reads the banners that owners have set (docs/protocol/rpc.md §7.8). */
export async function readAppearance(db: Queryable): Promise<AppearanceUpdate> {
  const text = await selectSetting(db, appearanceKey);
  if (text === undefined) return noBanners;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written below
  return JSON.parse(text) as AppearanceUpdate;
}

/** Sets the banners. Throws `Forbidden` for callers who are not owners. */
export async function updateAppearance(
  db: Database,
  caller: UserCaller,
  { announcement_banners }: AppearanceUpdate,
): Promise<AppearanceUpdate> {
  if (!isOwnerRole(caller)) throw forbidden("Only owners can set the banners of the deployment.");
  const after: AppearanceUpdate = { announcement_banners };
  return inTransaction(db, async (trx) => {
    await lockSettings(trx);
    const diff = diffOf(await readAppearance(trx), after);
    if (Object.keys(diff).length === 0) return after;
    await upsertSetting(trx, appearanceKey, JSON.stringify(after));
    await recordAudit(trx, {
      by: caller,
      organizationId: undefined,
      action: "write",
      resourceType: "appearance",
      resourceId: nilUuid,
      target: "appearance",
      diff,
    });
    return after;
  });
}

const appearanceKey = "appearance";
const noBanners: AppearanceUpdate = { announcement_banners: [] };

/** Returns the value of a key; the first caller sets it. */
async function readOrInsert(db: Queryable, key: string, value: string): Promise<string> {
  await db
    .insertInto("deployment")
    .values({ key, value })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const row = await db
    .selectFrom("deployment")
    .where("key", "=", key)
    .select("value")
    .executeTakeFirstOrThrow();
  return row.value;
}
