/** How long is kept what nobody needs any more, in milliseconds. */
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
} as const;

/**
 * Agents of replaced builds whose history is kept, for each owner of workspaces: the newest. Full logs of all of them take
 * 600 MB.
 */
export const keptHistories = 30;

/** Most of each kind that one round removes, so that no round holds up others. */
export const roundLimits = {
  agents: 50,
  rowsOfAgents: 20_000,
  usageRows: 20_000,
  keys: 1000,
  files: 100,
  dryRuns: 1000,
  versions: 100,
} as const;

/** A round that left something over is followed by the next one soon. */
const busyPauseMs = 5_000;
const idlePauseMs = 10 * 60_000;

/** Times before which something counts as old, as PostgreSQL reads them. */
export interface Cutoffs {
  /** When the build came that replaced an agent's, and when that agent was last there: the later one counts. */
  readonly replacedBuilds: string;
  /** Statistics, connections and what apps reported. */
  readonly usage: string;
  /** Statistics from before the second time, and since the first, are thinned. */
  readonly thinnedUsage: string;
  readonly wholeUsage: string;
  /** When a sub-agent was ended, as long as its workspace runs. */
  readonly endedSubAgents: string;
  readonly expiredKeys: string;
  readonly unusedFiles: string;
  /** When a dry run ended. */
  readonly dryRuns: string;
  /** When a version was pushed of which nobody made a template. */
  readonly unusedVersions: string;
}

/** `now` in milliseconds since the epoch. */
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
  };
}

/** What a round removed. `rowsOfAgents` and `usageRows` are of the table from which most went. */
export interface Removed {
  readonly agents: number;
  readonly rowsOfAgents: number;
  readonly usageRows: number;
  readonly keys: number;
  readonly files: number;
  readonly dryRuns: number;
  readonly versions: number;
}

/** How long to wait after a round; undefined stands for one that another replica did. */
export function pauseAfter(removed: Removed | undefined): number {
  if (removed === undefined) return idlePauseMs;
  const { agents, rowsOfAgents, usageRows, keys, files, dryRuns, versions } = roundLimits;
  const isFull =
    removed.agents >= agents ||
    removed.rowsOfAgents >= rowsOfAgents ||
    removed.usageRows >= usageRows ||
    removed.keys >= keys ||
    removed.files >= files ||
    removed.dryRuns >= dryRuns ||
    removed.versions >= versions;
  return isFull ? busyPauseMs : idlePauseMs;
}
