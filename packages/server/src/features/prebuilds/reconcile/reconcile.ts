import { desiredInstances } from "./desired-instances.ts";
import type { Pool, PoolSnapshot, Prebuild } from "./snapshot.ts";

/** The settings of the reconciliation (docs/protocol/prebuilds.md §2.1). */
export interface ReconcileLimits {
  /** The time that each recent failure holds off new prebuilds, in milliseconds. */
  readonly backoffMs: number;
  /** The age up to which a failure counts, in milliseconds. */
  readonly lookbackMs: number;
  /** The number of failures in a row after which no prebuilds are created; 0: no limit. */
  readonly failureHardLimit: number;
}

export interface Reconciliation {
  readonly desired: number;
  readonly running: number;
  /** Running and ready to be claimed. */
  readonly eligible: number;
  readonly starting: number;
  /** The reason why nothing is created although something is missing. */
  readonly held: "backed-off" | "hard-limited" | "validation-failed" | undefined;
  /** The time until which new prebuilds are held off. */
  readonly backoffUntilMs: number | undefined;
  readonly create: number;
  /** The workspaces to delete; builds that have not started are canceled first. */
  readonly remove: readonly string[];
}

/** The time after which a failed deletion is retried. */
const deleteAgainMs = 5 * 60_000;

/**
 * Computes what a pool needs (docs/protocol/prebuilds.md §2.5, with its faults fixed): deletions wait for nothing,
 * failures also hold off a pool that only its windows fill, and one pass removes everything surplus, expired, canceled
 * or of another version.
 */
export function reconcile(
  { pool, prebuilds }: PoolSnapshot,
  nowMs: number,
  limits: ReconcileLimits,
): Reconciliation {
  const desired = desiredInstances(pool, nowMs);
  const sorted = Map.groupBy(prebuilds, (prebuild) => classify(pool, prebuild, nowMs));
  const of = (kind: Kind): readonly Prebuild[] => sorted.get(kind) ?? [];
  const [running, starting, pending] = [of("running"), of("starting"), of("pending")];
  const coming = starting.length + pending.length;
  const surplus = Math.max(running.length + coming - desired, 0);
  const canceled = pool.isActive ? newest(pending, surplus) : pending;
  const failures = failuresOf(pool, prebuilds, nowMs, limits, desired);
  const held = heldBy(pool, failures, nowMs);
  const missing = Math.max(desired - running.length - coming, 0);
  return {
    desired,
    running: running.length,
    eligible: pool.isActive ? running.filter(({ isReady }) => isReady).length : 0,
    starting: coming,
    held: missing > 0 ? held : undefined,
    backoffUntilMs: failures.backoffUntilMs,
    create: held === undefined ? missing : 0,
    remove: [
      ...of("useless"),
      ...(pool.isActive ? spent(of("failed"), nowMs, limits) : of("failed")),
      ...running.slice(0, Math.max(running.length - desired, 0)),
      ...canceled,
    ].map(({ workspaceId }) => workspaceId),
  };
}

type Kind =
  | "running"
  | "starting"
  /** Starting, but not picked up by a worker yet. */
  | "pending"
  | "failed"
  /** Not claimable any more: expired, canceled, stopped or of another version. */
  | "useless"
  /** Being stopped or deleted, or stopped by an administrator and not expired yet. */
  | "left-alone";

function classify(pool: Pool, { build }: Prebuild, nowMs: number): Kind {
  const isOld = isExpired(pool, build, nowMs);
  switch (build.transition) {
    case "start":
      switch (build.status) {
        case "pending":
          return "pending";
        case "running":
          return "starting";
        case "failed":
          return "failed";
        case "canceled":
          return "useless";
        case "succeeded":
          return isOld ? "useless" : "running";
      }
    case "stop":
      return isOver(build) && isOld ? "useless" : "left-alone";
    case "delete":
      return isOver(build) && nowMs - build.createdAtMs > deleteAgainMs ? "useless" : "left-alone";
  }
}

function isOver({ status }: Prebuild["build"]): boolean {
  return status !== "pending" && status !== "running";
}

function isExpired(pool: Pool, build: Prebuild["build"], nowMs: number): boolean {
  const { expireAfterMs, lastInvalidatedAtMs } = pool;
  return (
    !pool.isActive ||
    !build.isOfVersion ||
    (expireAfterMs !== undefined && nowMs - build.createdAtMs > expireAfterMs) ||
    (lastInvalidatedAtMs !== undefined && build.createdAtMs < lastInvalidatedAtMs)
  );
}

function newest(prebuilds: readonly Prebuild[], count: number): readonly Prebuild[] {
  return prebuilds.slice(prebuilds.length - Math.min(count, prebuilds.length));
}

interface Failures {
  readonly backoffUntilMs: number | undefined;
  readonly isHardLimited: boolean;
}

/** Counts failures. The newest builds decide: one failure among as many as are desired holds off new prebuilds. */
function failuresOf(
  pool: Pool,
  prebuilds: readonly Prebuild[],
  nowMs: number,
  { backoffMs, lookbackMs, failureHardLimit }: ReconcileLimits,
  desired: number,
): Failures {
  const starts = prebuilds
    .filter(({ build }) => build.transition === "start" && build.isOfVersion && isOver(build))
    .toSorted((a, b) => b.build.createdAtMs - a.build.createdAtMs);
  const isRecent = ({ build }: Prebuild): boolean => nowMs - build.createdAtMs <= lookbackMs;
  const failed = starts.filter((one) => one.build.status === "failed" && isRecent(one));
  const considered = starts.slice(0, Math.max(pool.desiredInstances, desired, 1));
  const [last] = failed;
  const latest = starts.slice(0, failureHardLimit);
  return {
    backoffUntilMs:
      last !== undefined && considered.some((one) => failed.includes(one))
        ? last.build.createdAtMs + failed.length * backoffMs
        : undefined,
    isHardLimited:
      failureHardLimit > 0 &&
      latest.length === failureHardLimit &&
      latest.every(({ build }) => build.status === "failed"),
  };
}

function heldBy(
  pool: Pool,
  { backoffUntilMs, isHardLimited }: Failures,
  nowMs: number,
): Reconciliation["held"] {
  if (pool.status === "validation_failed") return "validation-failed";
  if (isHardLimited) return "hard-limited";
  return backoffUntilMs !== undefined && nowMs <= backoffUntilMs ? "backed-off" : undefined;
}

/**
 * Returns the failed prebuilds to delete. Others stay for inspection, while they are recent or among as many as the
 * hard limit covers.
 */
function spent(
  failed: readonly Prebuild[],
  nowMs: number,
  { lookbackMs, failureHardLimit }: ReconcileLimits,
): readonly Prebuild[] {
  const older = failed.slice(0, Math.max(failed.length - Math.max(failureHardLimit, 1), 0));
  return older.filter(({ build }) => nowMs - build.createdAtMs > lookbackMs);
}
