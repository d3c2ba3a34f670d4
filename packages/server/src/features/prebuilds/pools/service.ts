import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import type { PrebuildPool } from "@slipway/api/prebuilds/routes";
import { sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import { timestampFromMs } from "../../../platform/db/timestamp.ts";
import type { UserCaller } from "../../../platform/http/caller.ts";
import { jobStatus } from "../../../platform/jobs/job-sql.ts";
import { type PoolOrigin, selectPool, selectPoolIds } from "../reconcile/queries.ts";
import { reconcile, type Reconciliation, type ReconcileLimits } from "../reconcile/reconcile.ts";
import type { Pool } from "../reconcile/snapshot.ts";
import { readPrebuildsSettings, requirePoolReader } from "../settings-service.ts";
import { poolStatus } from "./status.ts";

/** A pool as the next reconciliation would find it, and what that would do. */
export interface PoolState {
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
): Promise<readonly PoolState[]> {
  const states: PoolState[] = [];
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
  { origin, pool, plan, nowMs }: PoolState,
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

/** The fate of all prebuilds of a preset, over all versions of its template and including deleted ones. */
export interface PoolTotals {
  readonly organization_name: string;
  readonly template_id: string;
  readonly template_name: string;
  readonly template_deleted: boolean;
  readonly preset_name: string;
  readonly created: number;
  /** The number of them whose first build failed. */
  readonly failed: number;
  readonly claimed: number;
}

/**
 * Selects the totals. A prebuild is identified by its first build, which the system user started
 * (docs/protocol/prebuilds.md §1.2). That user's id is a literal, so that the index of such builds applies.
 */
export async function selectTotals(db: Queryable): Promise<readonly PoolTotals[]> {
  const { rows } = await sql<PoolTotals>`
    select o.name as organization_name, t.id as template_id, t.name as template_name,
        t.deleted as template_deleted, preset.name as preset_name, count(*) as created,
        count(*) filter (where ${jobStatus("j")} = 'failed') as failed,
        count(*) filter (where w.owner_id <> ${prebuildsUserId}) as claimed
      from workspace_builds b
        join jobs j on j.id = b.job_id
        join workspaces w on w.id = b.workspace_id
        join template_version_presets preset on preset.id = b.template_version_preset_id
        join templates t on t.id = w.template_id
        join organizations o on o.id = t.organization_id
      where b.build_number = 1 and b.initiator_id = ${sql.lit(prebuildsUserId)}
      group by o.id, t.id, preset.name
      order by o.name, t.name, preset.name`.execute(db);
  return rows;
}
