import { stat } from "node:fs/promises";
import { resolve } from "node:path";

import type { FileEntry } from "@slipway/api/agents/file-routes";
import { countText } from "@slipway/runtime";

import { CommandError } from "../../command/errors.ts";
import {
  baseName,
  type CopyNeeds,
  type CopyOptions,
  partName,
  permissionBits,
  remoteJoin,
  type Totals,
  untilCopied,
} from "./copy.ts";
import { listTree } from "./list-tree.ts";
import { packTree, type LargeFile } from "./pack-tree.ts";
import { find, uploadFile, uploadResumably } from "./upload.ts";

/**
 * Copies a directory to a workspace: into `target` if that exists, else as `target`, which has its name once it is
 * complete. What an earlier attempt has copied is not sent again.
 */
export async function uploadTree(
  source: string,
  target: string,
  options: CopyOptions,
  needs: CopyNeeds,
): Promise<Totals> {
  const stats = await stat(source);
  if (!stats.isDirectory()) return uploadFile(source, target, options, needs);
  const { files, terminal, signal } = needs;
  const found = await find(target, needs);
  const name = baseName(resolve(source));
  const path = found === undefined ? target.replace(/(?<=.)\/+$/, "") : remoteJoin(target, name);
  const existing = found === undefined ? undefined : await find(path, needs);
  for (const one of [found, existing]) {
    if (one !== undefined && one.type !== "directory") {
      throw new CommandError(`${one.path} is not a directory`);
    }
  }
  // A directory that exists is completed in its place.
  const place = existing === undefined ? partOf(path, resolve(source)) : path;
  const skipped = new Set<string>();
  const totals = await untilCopied(async (report) => {
    const known = await knownFiles(place, needs);
    report(known.size);
    return sendTree({ source, name, place, known, skipped }, needs);
  }, needs);
  for (const text of skipped) terminal.err.line(terminal.err.colors.yellow(`warning: ${text}`));
  if (place !== path) await files.move(place, path, { signal });
  return totals;
}

/** Returns the path of a copy that is not complete, beside its own. */
function partOf(path: string, source: string): string {
  const name = baseName(path);
  return path.slice(0, path.length - name.length) + partName(name, source);
}

/** Lists what earlier attempts have copied, and says how much that is. */
async function knownFiles(
  place: string,
  needs: CopyNeeds,
): Promise<ReadonlyMap<string, FileEntry>> {
  if ((await find(place, needs)) === undefined) return new Map();
  const known = await listTree(place, needs);
  const { err } = needs.terminal;
  const count = known.values().reduce((sum, { type }) => sum + (type === "file" ? 1 : 0), 0);
  if (count > 0) err.line(`${countText(count, "file")} found in the workspace, sending the rest`);
  return known;
}

interface SentTree {
  readonly source: string;
  readonly name: string;
  readonly place: string;
  readonly known: ReadonlyMap<string, FileEntry>;
  /** Gets what is left out, with the reasons. */
  readonly skipped: Set<string>;
}

/** Sends small files as one archive, then each large file by itself, which can be continued within it. */
async function sendTree(
  { source, name, place, known, skipped }: SentTree,
  needs: CopyNeeds,
): Promise<Totals> {
  const { files, progress, signal } = needs;
  const large: LargeFile[] = [];
  progress.begin(name, {});
  const tar = progress.count(packTree(source, { known, large, skipped, signal }));
  const unpacked = await files.upload(place, tar, { signal });
  let bytes = unpacked.bytes;
  for (const { name: below, path, stats } of large) {
    const terms = { mode: stats.mode & permissionBits, modifiedAt: stats.mtime };
    await uploadResumably({ source: path, stats, path: remoteJoin(place, below), terms }, needs);
    bytes += stats.size;
  }
  return { files: unpacked.files + large.length, bytes };
}
