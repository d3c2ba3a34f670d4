import { errorText, type Logger } from "@slipway/runtime";
import type { Transaction } from "kysely";

import type { DB } from "../../../platform/db/gen/schema.ts";
import { inTransaction } from "../../../platform/db/transaction.ts";
import { Invalid } from "../../../platform/errors/errors.ts";
import { cancelJob } from "../../../platform/jobs/service.ts";
import type { Platform } from "../../../platform/platform.ts";
import { topics } from "../../../platform/pubsub/pubsub.ts";
import { watchAll } from "../../../platform/pubsub/watch-all.ts";
import { checkStart } from "../../builds/start-parameters.ts";
import { createPrebuild, deletePrebuild } from "../prebuild-service.ts";
import { readPrebuildsSettings } from "../settings-service.ts";
import {
  type FoundPool,
  lockPrebuildToDelete,
  selectPool,
  selectPoolIds,
  tryLockPools,
  updatePrebuildStatus,
} from "./queries.ts";
import { reconcile, type ReconcileLimits, type Reconciliation } from "./reconcile.ts";

export interface ReconcilerNeeds extends Platform {
  /** Observes the duration of each pass over all pools. */
  readonly reconciliationSeconds: { observe(seconds: number): void };
}

export interface ReconcilerSettings extends ReconcileLimits {
  /** The interval between passes, in milliseconds; claims trigger one too. */
  readonly intervalMs: number;
  /** The delay after a claim, so that many at once trigger one pass, and none waits for it. */
  readonly gatherMs: number;
}

export const defaultReconciler: ReconcilerSettings = {
  intervalMs: 15_000,
  gatherMs: 200,
  backoffMs: 60_000,
  lookbackMs: 3_600_000,
  failureHardLimit: 3,
};

/** The most workspaces that one transaction creates or deletes; the next pass continues. */
const maxPerPass = 100;

/** Keeps all pools filled until the signal is aborted. Each replica may run it; one at a time does the work. */
export async function runReconciler(
  needs: ReconcilerNeeds,
  settings: ReconcilerSettings,
  signal: AbortSignal,
): Promise<void> {
  const { pubsub, clock, logger } = needs;
  const { intervalMs: maxWaitMs, gatherMs } = settings;
  const passes = watchAll({ pubsub, kind: "prebuilds", maxWaitMs, clock, signal });
  for await (const presetIds of passes) {
    await clock.sleep(gatherMs, signal);
    try {
      await reconcilePools(needs, settings, signal, presetIds);
    } catch (error) {
      signal.throwIfAborted();
      logger.warn({ error: errorText(error) }, "cannot reconcile pools, retrying");
    }
  }
}

/** Reconciles the pools of some presets, or all, once; resolves to the number of builds queued. */
export async function reconcilePools(
  needs: ReconcilerNeeds,
  limits: ReconcileLimits,
  signal: AbortSignal,
  presetIds: ReadonlySet<string> | "all" = "all",
): Promise<number> {
  if ((await readPrebuildsSettings(needs.db)).reconciliation_paused) return 0;
  const { clock, reconciliationSeconds } = needs;
  const startMs = clock.monotonic();
  let queued = 0;
  for (const presetId of presetIds === "all" ? await selectPoolIds(needs.db) : presetIds) {
    signal.throwIfAborted();
    const done = await reconcileOne(needs, presetId, limits);
    // Another replica is doing this pass, including all other pools.
    if (done === "elsewhere") return queued;
    queued += done;
  }
  if (presetIds === "all") reconciliationSeconds.observe((clock.monotonic() - startMs) / 1000);
  return queued;
}

async function reconcileOne(
  { db, pubsub, logger }: ReconcilerNeeds,
  presetId: string,
  limits: ReconcileLimits,
): Promise<number | "elsewhere"> {
  try {
    const queued = await inTransaction(db, async (trx) => {
      if (!(await tryLockPools(trx))) return "elsewhere";
      const found = await selectPool(trx, presetId);
      return found === undefined ? 0 : applyActions(trx, found, limits, logger);
    });
    if (queued !== "elsewhere" && queued > 0) pubsub.publish(topics.jobQueue);
    if (queued === maxPerPass) pubsub.publish(topics.prebuilds(presetId));
    return queued;
  } catch (error) {
    logger.error({ preset: presetId, error: errorText(error) }, "cannot reconcile a pool");
    return 0;
  }
}

/** Applies everything or nothing: a replica that loses the lock has changed nothing. */
async function applyActions(
  trx: Transaction<DB>,
  found: FoundPool,
  limits: ReconcileLimits,
  logger: Logger,
): Promise<number> {
  const plan = reconcile(found.snapshot, found.nowMs, limits);
  const log = logger.child({ ...found.origin });
  await noteStatus(trx, found, plan);
  let queued = 0;
  for (const workspaceId of plan.remove.slice(0, maxPerPass)) {
    if (await remove(trx, workspaceId)) queued += 1;
  }
  const count = Math.min(plan.create, maxPerPass - queued);
  if (count > 0 && (await isBuildable(trx, found, log))) {
    for (let made = 0; made < count; made += 1) {
      await createPrebuild(trx, { ...found.origin, presetId: found.snapshot.pool.presetId });
    }
    queued += count;
  }
  if (queued > 0) log.info({ ...plan, remove: plan.remove.length }, "pool reconciled");
  return queued;
}

async function noteStatus(
  trx: Transaction<DB>,
  { snapshot: { pool } }: FoundPool,
  { held }: Reconciliation,
): Promise<void> {
  if (pool.status === "validation_failed") return;
  const status = held === "hard-limited" ? "hard_limited" : "healthy";
  if (pool.status !== status) await updatePrebuildStatus(trx, pool.presetId, status);
}

/** Returns whether the preset's values suffice for a workspace. If not, only another version can fix it. */
async function isBuildable(
  trx: Transaction<DB>,
  { origin, snapshot: { pool } }: FoundPool,
  logger: Logger,
): Promise<boolean> {
  try {
    await checkStart(trx, { versionId: origin.versionId, presetId: pool.presetId });
    return true;
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    const reasons = error.validations.map(({ field, detail }) => `${field}: ${detail}`);
    logger.warn({ error: [error.message, ...reasons].join(" ") }, "cannot fill a pool");
    await updatePrebuildStatus(trx, pool.presetId, "validation_failed");
    return false;
  }
}

/** Returns false when the prebuild is locked by others: a claim, or a build. */
async function remove(trx: Transaction<DB>, workspaceId: string): Promise<boolean> {
  const prebuild = await lockPrebuildToDelete(trx, workspaceId);
  if (prebuild === undefined) return false;
  const { job, ...workspace } = prebuild;
  if (job.completed_at === null) {
    if (job.started_at !== null) return false;
    await cancelJob(trx, job.id, "pending");
  }
  await deletePrebuild(trx, workspace);
  return true;
}
