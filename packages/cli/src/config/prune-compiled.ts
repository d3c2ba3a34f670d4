import { readdirSync, rmdirSync, rmSync, type Stats, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const dayMs = 24 * 60 * 60_000;
/** The time without use after which compiled code is removed. */
const maxAgeMs = 30 * dayMs;
/**
 * The maximum number of files, and of files removed at a time: a server that runs from its sources compiles two
 * thousand, and removing that many takes 100 ms.
 */
const defaultLimits = { maxFiles: 5_000, maxRemoved: 2_000 };
/** The file whose time is that of the last check. */
const marker = "pruned";

interface CachedFile {
  readonly path: string;
  readonly usedMs: number;
}

/**
 * Removes files of the cache that were unused for a month, and the least recently used ones beyond a number. Checks
 * once a day, or until nothing is left to remove. Node.js adds files for each of its releases and each state of a
 * module, and never removes any.
 */
export function pruneCompiled(
  directory: string,
  nowMs: number,
  { maxFiles, maxRemoved } = defaultLimits,
): void {
  const markerPath = join(directory, marker);
  const prunedMs = statOf(markerPath)?.mtimeMs ?? 0;
  // A time in the future comes from a clock that was wrong.
  if (prunedMs <= nowMs && nowMs - prunedMs < dayMs) return;
  const files = filesBelow(directory)
    .filter(({ path }) => path !== markerPath)
    .toSorted((a, b) => b.usedMs - a.usedMs);
  const unwanted = files.filter(
    ({ usedMs }, index) => index >= maxFiles || nowMs - usedMs > maxAgeMs,
  );
  for (const { path } of unwanted.slice(-maxRemoved)) rmSync(path, { force: true });
  if (unwanted.length <= maxRemoved) writeFileSync(markerPath, "", { mode: 0o600 });
}

/** Returns the files of the directory and its subdirectories, and removes the empty ones. */
function filesBelow(directory: string): readonly CachedFile[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isFile()) return cachedFile(path);
    if (!entry.isDirectory()) return [];
    const files = readdirSync(path).flatMap((name) => cachedFile(join(path, name)));
    if (files.length === 0) removeEmpty(path);
    return files;
  });
}

function removeEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // It is no longer empty.
  }
}

/** Returns the file with the time of its last use, as far as the file system records it; nothing if it is gone. */
function cachedFile(path: string): readonly CachedFile[] {
  const stats = statOf(path);
  return stats?.isFile() === true ? [{ path, usedMs: Math.max(stats.atimeMs, stats.mtimeMs) }] : [];
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}
