import { lstat } from "node:fs/promises";

import type { FileMatch } from "@slipway/api/agents/file-routes";

import { fileTurns } from "../process/turns.ts";
import { FoundLines, type SearchLimit } from "./found-lines.ts";
import { compilePattern, type PatternOptions } from "./line-matcher.ts";
import { Ripgrep, type RipgrepHost } from "./ripgrep.ts";
import { searchFile } from "./search-file.ts";
import { globRules, walkTree } from "./walk-tree.ts";

/** The numbers of files that ripgrep searches at first and at most, and the maximum size of their paths. */
const [firstFiles, maxFiles, maxPathBytes] = [64, 4_096, 256 * 1024];

export interface TreeSearch extends PatternOptions {
  readonly pattern: string;
  /** Only files whose path matches one of these; those after `!` are left out. */
  readonly globs: readonly string[];
  /** True to search hidden and ignored files as well. */
  readonly isAll: boolean;
  readonly maxMatches: number;
}

export interface SearchResult {
  readonly matches: readonly FileMatch[];
  /** The limit that ended the search early. */
  readonly truncated_by?: SearchLimit;
}

interface TreeSearchNeeds {
  readonly ripgrep: RipgrepHost;
  readonly owner: object;
  readonly signal: AbortSignal;
}

/**
 * Searches the lines of the text files of a tree, in the order of their names, as ripgrep does: neither hidden files nor
 * those that an ignore file names, and through no link. Uses the workspace's `rg` if there is one. Throws `FileError`,
 * the errors of the system for the path itself, and the signal's reason.
 */
export async function searchTree(
  path: Buffer,
  search: TreeSearch,
  { ripgrep: host, owner, signal }: TreeSearchNeeds,
): Promise<SearchResult> {
  const matcher = await compilePattern(search.pattern, search);
  const globs = globRules(search.globs);
  const root = await fileTurns.run(owner, () => lstat(path));
  const { clock } = host.commands;
  const found = new FoundLines(search.maxMatches, () => clock.monotonic());
  const needs = { matcher, found, owner, signal };
  const ripgrep = await Ripgrep.open(search, host);
  const files = root.isDirectory()
    ? walkTree(path, { isAll: search.isAll, globs, owner, signal })
    : [path];
  if (ripgrep === undefined) {
    for await (const file of files) {
      await searchFile(file, needs);
      if (found.limit !== undefined) break;
    }
  } else {
    for await (const some of batchesOf(files, found)) {
      await ripgrep.search(some, needs);
      if (found.limit !== undefined) break;
    }
  }
  const { matches, limit } = found;
  return limit === undefined ? { matches } : { matches, truncated_by: limit };
}

/** Yields few files at first, so that the first matches come soon, then more at a time. */
async function* batchesOf(
  files: AsyncIterable<Buffer> | Iterable<Buffer>,
  found: FoundLines,
): AsyncGenerator<readonly Buffer[]> {
  let max = firstFiles;
  let batch: Buffer[] = [];
  let bytes = 0;
  for await (const file of files) {
    if (found.limit !== undefined) return;
    batch.push(file);
    bytes += file.length;
    if (batch.length < max && bytes < maxPathBytes) continue;
    yield batch;
    [batch, bytes, max] = [[], 0, Math.min(maxFiles, 4 * max)];
  }
  if (batch.length > 0) yield batch;
}
