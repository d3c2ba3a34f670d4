import type { PrebuildPool } from "@slipway/api/prebuilds/routes";

import type { Queryable } from "../../../platform/db/database.ts";
import { timestampFromMs } from "../../../platform/db/timestamp.ts";
import type { UserCaller } from "../../../platform/http/caller.ts";
import { type PoolOrigin, selectPool, selectPoolIds } from "../reconcile/queries.ts";
import { reconcile, type Reconciliation, type ReconcileLimits } from "../reconcile/reconcile.ts";
import type { Pool } from "../reconcile/snapshot.ts";
import { readPrebuildsSettings, requirePoolReader } from "../settings-service.ts";
import { type PoolTotals, selectTotals } from "./queries.ts";
import { poolStatus } from "./status.ts";

/** A pool as the next reconciliation would find it, and what that would do. */
export interface FoundPoolState {
  readonly origin: PoolOrigin;
  readonly isTemplateDeleted: boolean;
  readonly pool: Pool;
  readonly plan: Reconciliation;
  readonly nowMs: number;
}

/** Reads every pool that should be filled or is not empty, one after the other to limit the load on the database. */
export async function readPools(
  db: Queryable,
  limits: ReconcileLimits,
): Promise<readonly FoundPoolState[]> {
  const states: FoundPoolState[] = [];
  for (const presetId of await selectPoolIds(db)) {
    const found = await selectPool(db, presetId);
    if (found === undefined) continue;
    const { origin, isTemplateDeleted, snapshot, nowMs } = found;
    states.push({
      origin,
      isTemplateDeleted,
      pool: snapshot.pool,
      plan: reconcile(snapshot, nowMs, limits),
      nowMs,
    });
  }
  return states;
}

/** Lists the pools by template and preset, active version first; throws `NotFound` for callers who may not see them. */
export async function listPools(
  { db, limits }: { readonly db: Queryable; readonly limits: ReconcileLimits },
  caller: UserCaller,
): Promise<PrebuildPool[]> {
  requirePoolReader(caller);
  const settings = await readPrebuildsSettings(db);
  const totals = await selectTotals(db);
  const pools = await readPools(db, limits);
  return pools
    .map((state) => poolJson(state, totals, settings.reconciliation_paused))
    .toSorted((a, b) => order(a).localeCompare(order(b)));
}

function order({
  organization_name,
  template_name,
  preset_name,
  active,
  template_version_name,
}: PrebuildPool): string {
  const names = [organization_name, template_name, preset_name];
  return [...names, active ? "0" : "1", template_version_name].join("\n");
}

function poolJson(
  { origin, pool, plan, nowMs }: FoundPoolState,
  totals: readonly PoolTotals[],
  isPaused: boolean,
): PrebuildPool {
  const { backoffUntilMs: until } = plan;
  const total = totals.find(
    ({ template_id, preset_name }) =>
      template_id === origin.templateId && preset_name === origin.presetName,
  );
  return {
    organization_id: origin.organizationId,
    organization_name: origin.organizationName,
    template_id: origin.templateId,
    template_name: origin.templateName,
    template_version_id: origin.versionId,
    template_version_name: origin.versionName,
    preset_id: pool.presetId,
    preset_name: origin.presetName,
    active: pool.isActive,
    desired: plan.desired,
    running: plan.running,
    eligible: plan.eligible,
    starting: plan.starting,
    claimed: total?.claimed ?? 0,
    status: isPaused ? "paused" : poolStatus(pool, plan),
    backoff_until: until === undefined || until < nowMs ? null : timestampFromMs(until),
  };
}
