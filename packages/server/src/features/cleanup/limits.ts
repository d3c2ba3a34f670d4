/** Retention periods, in milliseconds. */
const day = 24 * 3600 * 1000;
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
} as const;

/**
 * The number of newest agents of replaced builds whose history is kept, for each owner of workspaces. Full logs of all
 * of them take 600 MB.
 */
export const keptHistories = 30;

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
} as const;

/** The pause after a round that reached a limit. */
const busyPauseMs = 5_000;
const idlePauseMs = 10 * 60_000;

/** Times before which records count as old, in a format that PostgreSQL reads. */
export interface Cutoffs {
  /** The later of the build that replaced the agent's, and the agent's last connection. */
  readonly replacedBuilds: string;
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
}

/** Returns the cutoffs for `now`, in milliseconds since the epoch. */
export function cutoffs(now: number): Cutoffs {
  const before = (ms: number): string => new Date(now - ms).toISOString();
  return {
    replacedBuilds: before(keepMs.replacedBuilds),
    usage: before(keepMs.usage),
    thinnedUsage: before(keepMs.thinnedUsage),
    wholeUsage: before(keepMs.wholeUsage),
    endedSubAgents: before(keepMs.endedSubAgents),
    expiredKeys: before(keepMs.expiredKeys),
    unusedFiles: before(keepMs.unusedFiles),
    dryRuns: before(keepMs.dryRuns),
    unusedVersions: before(keepMs.unusedVersions),
    keptRuns: before(keepMs.keptRuns),
  };
}

/** The numbers of records that a round removed; of rows, those of the table that lost the most. */
export type RemovedCounts = Readonly<Record<keyof typeof roundLimits, number>>;

/** Returns the pause after a round; undefined stands for a round that another replica did. */
export function pauseAfter(removed: RemovedCounts | undefined): number {
  if (removed === undefined) return idlePauseMs;
  const { agents, rowsOfAgents, usageRows, keys, files, dryRuns, versions, runs } = roundLimits;
  const isFull =
    removed.agents >= agents ||
    removed.rowsOfAgents >= rowsOfAgents ||
    removed.usageRows >= usageRows ||
    removed.keys >= keys ||
    removed.files >= files ||
    removed.dryRuns >= dryRuns ||
    removed.versions >= versions ||
    removed.runs >= runs;
  return isFull ? busyPauseMs : idlePauseMs;
}
