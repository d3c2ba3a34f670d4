import { lstat, opendir, readlink } from "node:fs/promises";

import type { FileEntry, FilePage } from "@slipway/api/agents/file-routes";

import { fileTurns } from "../process/turns.ts";
import { entryOf } from "./describe-file.ts";
import { anyBytes, childPath, pathText } from "./paths.ts";

/** The names that are read of a directory at a time. */
const bufferSize = 1_024;
/** The encoding of names as cursors, which loses no byte. */
const cursor = "base64url";

interface PageOptions {
  /** The `next` of the page before; undefined for the first page. */
  readonly after: string | undefined;
  readonly limit: number;
  readonly owner: object;
  readonly signal: AbortSignal;
}

/**
 * Lists a page of a directory in the order of the names' bytes. Memory is that of a page, whatever the size of the
 * directory. Throws the errors of the system, and the signal's reason.
 */
export async function listPage(
  path: Buffer,
  { after, limit, owner, signal }: PageOptions,
): Promise<FilePage> {
  const start = after === undefined ? undefined : Buffer.from(after, cursor).toString(anyBytes);
  // One more than the page, to know whether there is another.
  const names = await smallestNames(path, { start, count: limit + 1, owner, signal });
  const entries: FileEntry[] = [];
  for (const name of names.slice(0, limit)) {
    signal.throwIfAborted();
    const entry = await fileTurns.run(owner, () => entryOrGone(childPath(path, name)));
    if (entry !== undefined) entries.push(entry);
  }
  const last = names.length > limit ? names[limit - 1] : undefined;
  return {
    path: pathText(path),
    entries,
    ...(last === undefined ? {} : { next: Buffer.from(last, anyBytes).toString(cursor) }),
  };
}

interface NameRange {
  readonly start: string | undefined;
  readonly count: number;
  readonly owner: object;
  readonly signal: AbortSignal;
}

/** Returns the smallest names of a directory after `start`, sorted. */
async function smallestNames(
  path: Buffer,
  { start, count, owner, signal }: NameRange,
): Promise<readonly string[]> {
  let names: string[] = [];
  const directory = await fileTurns.run(owner, () =>
    opendir(path, { encoding: anyBytes, bufferSize }),
  );
  try {
    for (let isMore = true; isMore;) {
      signal.throwIfAborted();
      isMore = await fileTurns.run(owner, async () => {
        for (let read = 0; read < bufferSize; read += 1) {
          const entry = await directory.read();
          if (entry === null) return false;
          if (start === undefined || entry.name > start) names.push(entry.name);
        }
        return true;
      });
      if (names.length > 4 * count || !isMore) names = names.toSorted().slice(0, count);
    }
    return names;
  } finally {
    await fileTurns.runPatiently(owner, () => directory.close());
  }
}

async function entryOrGone(path: Buffer): Promise<FileEntry | undefined> {
  try {
    const stats = await lstat(path, { bigint: true });
    const target = stats.isSymbolicLink() ? await readlink(path, "buffer") : undefined;
    return entryOf(path, stats, target);
  } catch {
    // It has been removed meanwhile, or the directory may only be listed.
    return undefined;
  }
}
