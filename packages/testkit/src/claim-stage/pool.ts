import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";

import { bringToLife } from "./agents.ts";
import type { ClaimStage } from "./stage.ts";

/** Limits that never stop a pool after failed builds. */
const limits = { backoffMs: 0, lookbackMs: 0, failureHardLimit: 0 };

/** Fills the pool with ready prebuilds, created one second apart; resolves to their ids, oldest first. */
export async function fillPool(stage: ClaimStage): Promise<readonly string[]> {
  await stage.look(limits);
  await stage.carryOut();
  const { db } = stage.needs;
  const rows = await db
    .selectFrom("workspaces")
    .where("owner_id", "=", prebuildsUserId)
    .where("deleted", "=", false)
    .orderBy("created_at")
    .orderBy("name")
    .select(["id"])
    .execute();
  for (const [index, { id }] of rows.entries()) {
    await bringToLife(stage.needs, id);
    const ageSeconds = rows.length - index;
    await db
      .updateTable("workspaces")
      .set({ created_at: new Date(Date.now() - ageSeconds * 1000).toISOString() })
      .where("id", "=", id)
      .execute();
  }
  return rows.map(({ id }) => id);
}
