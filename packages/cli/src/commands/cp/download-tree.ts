import type { Stats } from "node:fs";
import { lstat, rename, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import type { FileEntry } from "@slipway/api/agents/file-routes";
import { countText, systemErrorCode } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";

import { CommandError } from "../../command/errors.ts";
import {
  baseName,
  type CopyNeeds,
  type CopyOptions,
  partName,
  remoteJoin,
  type Totals,
  untilCopied,
} from "./copy.ts";
import { downloadFile } from "./download.ts";
import { listTree } from "./list-tree.ts";
import { isSameFile } from "./same-file.ts";
import { isLossy, lossyText, safeParts, unpackTree, writeLink } from "./unpack-tree.ts";

/**
 * Copies a directory of a workspace: into `target` if that exists, else as `target`, which has its name once it is
 * complete. What an earlier attempt has copied is not fetched again.
 */
export async function downloadTree(
  source: string,
  target: string,
  options: CopyOptions,
  needs: CopyNeeds,
): Promise<Totals> {
  const { files, progress, terminal, signal } = needs;
  const entry = await files.stat(source, { signal });
  if (entry.type !== "directory") return downloadFile(source, target, options, needs);
  const name = source === "~" ? "home" : baseName(source);
  const isInside = await isDirectory(target);
  const path = isInside ? join(target, name) : target.replace(/(?<=.)\/+$/, "");
  // A directory that exists is completed in its place.
  const place =
    isInside && (await isDirectory(path))
      ? path
      : join(dirname(path), partName(basename(path), source, path));
  const skipped = new Set<string>();
  const totals = { files: 0, bytes: 0 };
  const add = (more: Totals): void => {
    totals.files += more.files;
    totals.bytes += more.bytes;
  };
  progress.begin(name, {});
  await untilCopied(async (report) => {
    const copy = { source, place, depth: 0, options, skipped, add };
    if (await isDirectory(place)) await fetchMissing(copy, report, needs);
    else await fetchWhole(copy, needs);
  }, needs);
  for (const text of skipped) {
    terminal.err.line(terminal.err.colors.yellow(`warning: ${text.replace(place, path)}`));
  }
  if (place !== path) await rename(place, path);
  return totals;
}

async function isDirectory(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: unknown) => {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined || found.isDirectory()) return found !== undefined;
  throw new CommandError(`${path} is not a directory`);
}

interface CopiedTree {
  readonly source: string;
  readonly place: string;
  /** The number of directories from the top of the copy to `place`. */
  readonly depth: number;
  readonly options: CopyOptions;
  /** Gets what is left out, with the reasons. */
  readonly skipped: Set<string>;
  /** Counts what has been copied. */
  readonly add: (totals: Totals) => void;
}

/** Fetches a directory as one archive. */
async function fetchWhole(
  { source, place, depth, options, skipped, add }: CopiedTree,
  { files, progress, signal }: CopyNeeds,
): Promise<void> {
  const tar = progress.count(await files.download(source, { signal }));
  await makeDirectories(place);
  await unpackTree(tar, place, { keepsModes: options.preserve, depth, skipped, add, signal });
}

/** Compares the directory with what is there, and fetches the rest: directories as archives, and single files. */
async function fetchMissing(
  tree: CopiedTree,
  report: (done: number) => void,
  needs: CopyNeeds,
): Promise<void> {
  const { source, place, options, skipped, add } = tree;
  const missing = new Map<string, FileEntry>();
  let same = 0;
  for (const [name, entry] of await listTree(source, needs)) {
    if (await isThere(place, name, entry)) same += entry.type === "file" ? 1 : 0;
    else missing.set(name, entry);
  }
  report(same);
  if (same > 0) {
    needs.terminal.err.line(`${countText(same, "file")} found on this machine, fetching the rest`);
  }
  for (const [name, entry] of missing) {
    const parts = safeParts(name);
    const [from, to] = [remoteJoin(source, name), join(place, ...parts)];
    // It has come with a directory above it.
    if (parts.some((_, index) => index > 0 && missing.has(parts.slice(0, index).join("/"))))
      continue;
    if (isLossy(name)) skipped.add(lossyText(to));
    else if (entry.type === "directory") {
      await fetchWhole({ ...tree, source: from, place: to, depth: parts.length }, needs);
    } else if (entry.type === "file") {
      add(await downloadFile(from, to, { ...options, preserve: true }, needs));
    } else if (entry.type === "symlink") {
      const problem = await writeLink(to, parts.length, entry.link_target ?? "");
      if (problem !== undefined) skipped.add(problem);
    }
  }
}

/** Returns whether this machine has an entry. Throws `CommandError` if something else is in its place. */
async function isThere(place: string, name: string, entry: FileEntry): Promise<boolean> {
  const path = join(place, ...safeParts(name));
  const local = await lstat(path).catch((error: unknown) => {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (local === undefined) return false;
  if (kindOf(local) !== entry.type) {
    throw new CommandError(`${path} is a ${kindOf(local)}, wanted a ${entry.type}`);
  }
  return entry.type !== "file" || isSameFile(local, entry);
}

function kindOf(stats: Stats): FileEntry["type"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "symlink" : "other";
}
