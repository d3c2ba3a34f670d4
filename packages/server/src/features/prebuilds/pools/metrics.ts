import { abortable, type Clock, errorText, withDeadline } from "@slipway/runtime";
import { Counter, Gauge, type Registry } from "prom-client";

import type { Platform } from "../../../platform/platform.ts";
import type { ReconcileLimits } from "../reconcile/reconcile.ts";
import { readPrebuildsSettings } from "../settings-service.ts";
import { type PoolState, type PoolTotals, readPools, selectTotals } from "./service.ts";
import { poolStatus } from "./status.ts";

interface PoolMetricsNeeds extends Pick<Platform, "db" | "clock" | "logger"> {
  readonly limits: ReconcileLimits;
}

/** The database is queried at most this often, in milliseconds, however often metrics are requested. */
const refreshMs = 30_000;
/** Metrics wait this long for the database, in milliseconds, and then omit pools. */
const maxWaitMs = 5_000;

const labelNames = ["template_name", "preset_name", "organization_name"] as const;
type Labels = Readonly<Record<(typeof labelNames)[number], string>>;

/**
 * Adds the metrics of pools from the database (docs/protocol/prebuilds.md §2.7): every replica reports the same. They
 * are read on each scrape.
 */
export function addPoolMetrics(registry: Registry, needs: PoolMetricsNeeds): void {
  const collect = atMostEvery(refreshMs, needs.clock, () => refresh(metrics, needs));
  const metrics = createPoolMetrics(registry, collect);
}

type PoolMetrics = ReturnType<typeof createPoolMetrics>;

/** Creates the metrics. Each awaits `collect` before it is reported. */
function createPoolMetrics(registry: Registry, collect: () => Promise<void>) {
  const registers = [registry];
  const gauge = (name: string, help: string) =>
    new Gauge({
      name: `slipway_prebuilt_workspaces_${name}`,
      help,
      labelNames,
      registers,
      collect,
    });
  const counter = (name: string, help: string) =>
    new Counter({
      name: `slipway_prebuilt_workspaces_${name}`,
      help,
      labelNames,
      registers,
      collect,
    });
  return {
    created: counter("created_total", "All prebuilds ever created, across all versions."),
    failed: counter("failed_total", "Prebuilds whose first build failed, across all versions."),
    claimed: counter("claimed_total", "Claimed prebuilds, across all versions."),
    desired: gauge("desired", "The number of prebuilds that should currently wait."),
    running: gauge("running", "The number of running prebuilds."),
    eligible: gauge("eligible", "The number of running prebuilds that can be claimed."),
    hardLimited: gauge(
      "preset_hard_limited",
      "1 while no prebuilds are created because the newest builds all failed.",
    ),
    validationFailed: gauge(
      "preset_validation_failed",
      "1 while no prebuilds are created because the preset lacks values.",
    ),
    paused: new Gauge({
      name: "slipway_prebuilds_reconciliation_paused",
      help: "1 while pools are paused.",
      registers,
      collect,
    }),
  };
}

async function refresh(
  metrics: PoolMetrics,
  { db, clock, logger, limits }: PoolMetricsNeeds,
): Promise<void> {
  try {
    const reads = Promise.all([readPrebuildsSettings(db), selectTotals(db), readPools(db, limits)]);
    const [settings, totals, pools] = await withDeadline(
      maxWaitMs,
      clock,
      (limit) => abortable(reads, limit),
      "answer of the database",
    );
    clear(metrics);
    metrics.paused.set(settings.reconciliation_paused ? 1 : 0);
    // Another template may have the name of a deleted one.
    for (const total of totals) if (!total.template_deleted) count(metrics, total);
    for (const pool of pools) if (!pool.isTemplateDeleted) measure(metrics, pool);
  } catch (error) {
    // Stale numbers would pass for current ones.
    clear(metrics);
    logger.warn({ error: errorText(error) }, "cannot read pools for the metrics");
  }
}

function clear({ paused, ...ofPools }: PoolMetrics): void {
  for (const metric of Object.values(ofPools)) metric.reset();
  paused.remove();
}

function count({ created, failed, claimed }: PoolMetrics, total: PoolTotals): void {
  const labels = labelsOf(total);
  created.inc(labels, total.created);
  failed.inc(labels, total.failed);
  claimed.inc(labels, total.claimed);
}

/**
 * Adds up the pools of a template's versions, which have the same labels: what is left of old ones counts with the active
 * one.
 */
function measure(metrics: PoolMetrics, { origin, pool, plan }: PoolState): void {
  const labels = labelsOf({
    template_name: origin.templateName,
    preset_name: origin.presetName,
    organization_name: origin.organizationName,
  });
  const status = pool.isActive ? poolStatus(pool, plan) : undefined;
  for (const counter of [metrics.created, metrics.failed, metrics.claimed]) counter.inc(labels, 0);
  metrics.desired.inc(labels, plan.desired);
  metrics.running.inc(labels, plan.running);
  metrics.eligible.inc(labels, plan.eligible);
  metrics.hardLimited.inc(labels, status === "hard_limited" ? 1 : 0);
  metrics.validationFailed.inc(labels, status === "validation_failed" ? 1 : 0);
}

function labelsOf({ template_name, preset_name, organization_name }: Labels): Labels {
  return { template_name, preset_name, organization_name };
}

/** Runs work on demand: concurrent callers share one run, and it does not run again for a while. */
function atMostEvery(ms: number, clock: Clock, work: () => Promise<void>): () => Promise<void> {
  let startMs = Number.NEGATIVE_INFINITY;
  let last = Promise.resolve();
  return () => {
    if (clock.monotonic() - startMs >= ms) {
      startMs = clock.monotonic();
      last = work();
    }
    return last;
  };
}
