import type { Limits } from "../../platform/config/limits.ts";

/** The retention periods that an operator sets. */
export type Retention = Pick<Limits, "maxAuditDays" | "maxBuildLogDays">;

/** Retention periods, in milliseconds. */
const hour = 3600 * 1000;
const day = 24 * hour;
const keepMs = {
  replacedBuilds: 7 * day,
  usage: 61 * day,
  thinnedUsage: 9 * day,
  wholeUsage: 2 * day,
  endedSubAgents: day,
  expiredKeys: 30 * day,
  unusedFiles: day,
  dryRuns: day,
  unusedVersions: 7 * day,
  keptRuns: 7 * day,
  readings: hour,
} as const;

/**
 * The number of newest agents of replaced builds whose history is kept, for each owner of workspaces. Full logs of all
 * of them take 600 MB.
 */
export const keptHistories = 30;

/**
 * The period of builds whose owners may have too many histories. Rounds are at most ten minutes apart; what they do not
 * reach within it is found after the owner's next build, or by its age.
 */
const recentMs = hour;

/** The maximum number of each kind that a round removes, so that it does not block others for long. */
export const roundLimits = {
  agents: 50,
  rowsOfAgents: 20_000,
  usageRows: 20_000,
  keys: 1000,
  files: 100,
  dryRuns: 1000,
  versions: 100,
  runs: 200,
  readings: 1000,
  auditEntries: 10_000,
  buildLogLines: 20_000,
} as const;

/** The pause after a round that reached a limit. */
const busyPauseMs = 5_000;
const idlePauseMs = 10 * 60_000;

/** Times before which records count as old, in a format that PostgreSQL reads. */
export interface Cutoffs {
  /** The later of the build that replaced the agent's, and the agent's last connection. */
  readonly replacedBuilds: string;
  /** The start of the period whose builds give an owner another replaced agent. */
  readonly recentBuilds: string;
  /** The time of statistics, connections and reports of apps. */
  readonly usage: string;
  /** Statistics from before `wholeUsage` and since `thinnedUsage` are thinned. */
  readonly thinnedUsage: string;
  readonly wholeUsage: string;
  /** The end of a sub-agent whose workspace is still running. */
  readonly endedSubAgents: string;
  readonly expiredKeys: string;
  readonly unusedFiles: string;
  /** The end of a dry run. */
  readonly dryRuns: string;
  /** The push of a version that no template was created from. */
  readonly unusedVersions: string;
  /** The stop of the workspace that left a run. */
  readonly keptRuns: string;
  /** The question of a form to a provisioner, which who asked has not removed. */
  readonly readings: string;
  readonly auditEntries: string;
  readonly buildLogLines: string;
}

/** Returns the cutoffs for `now`, in milliseconds since the epoch. */
export function cutoffs(now: number, { maxAuditDays, maxBuildLogDays }: Retention): Cutoffs {
  const before = (ms: number): string => new Date(Math.max(0, now - ms)).toISOString();
  return {
    replacedBuilds: before(keepMs.replacedBuilds),
    recentBuilds: before(recentMs),
    usage: before(keepMs.usage),
    thinnedUsage: before(keepMs.thinnedUsage),
    wholeUsage: before(keepMs.wholeUsage),
    endedSubAgents: before(keepMs.endedSubAgents),
    expiredKeys: before(keepMs.expiredKeys),
    unusedFiles: before(keepMs.unusedFiles),
    dryRuns: before(keepMs.dryRuns),
    unusedVersions: before(keepMs.unusedVersions),
    keptRuns: before(keepMs.keptRuns),
    readings: before(keepMs.readings),
    auditEntries: before(maxAuditDays * day),
    buildLogLines: before(maxBuildLogDays * day),
  };
}

/** The numbers of records that a round removed; of rows, those of the table that lost the most. */
export type RemovedCounts = Readonly<Record<keyof typeof roundLimits, number>>;

/** Returns the pause after a round; undefined stands for a round that another replica did. */
export function pauseAfter(removed: RemovedCounts | undefined): number {
  if (removed === undefined) return idlePauseMs;
  const limits: Readonly<Record<string, number>> = roundLimits;
  const isFull = Object.entries(removed).some(
    ([kind, count]) => count >= (limits[kind] ?? Infinity),
  );
  return isFull ? busyPauseMs : idlePauseMs;
}
