import type { BigIntStats } from "node:fs";
import { lstat, readlink, stat } from "node:fs/promises";

import type { FileEntry, FileType } from "@slipway/api/agents/file-routes";

import { pathText, splitPath } from "./paths.ts";

/** The bits of a mode that are permissions. */
export const rightsBits = 0o7777;
/** The last time that RFC 3339 can state; a file may claim any. */
const lastTimeMs = Date.UTC(9999, 11, 31);

/** Describes a file; with `follow`, the target of a symbolic link. */
export async function describeFile(path: Buffer, follow: boolean): Promise<FileEntry> {
  const stats = await (follow ? stat : lstat)(path, { bigint: true });
  const target = stats.isSymbolicLink() ? await readlink(path, "buffer") : undefined;
  return entryOf(path, stats, target);
}

/** Returns the entry of a file with the given status. */
export function entryOf(path: Buffer, stats: BigIntStats, target?: Buffer): FileEntry {
  return {
    name: pathText(splitPath(path).name),
    path: pathText(path),
    type: typeOf(stats),
    size: Number(stats.size),
    mode: Number(stats.mode) & rightsBits,
    modified_at: timeText(Number(stats.mtimeMs)),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    etag: etagOf(stats),
    ...(target === undefined ? {} : { link_target: pathText(target) }),
  };
}

/** Identifies the content of a file: another one has another inode, size or time, on any usual file system. */
export function etagOf({ ino, size, mtimeNs }: BigIntStats): string {
  return `"${[ino, size, mtimeNs].map((value) => value.toString(36)).join("-")}"`;
}

function typeOf(stats: BigIntStats): FileType {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "symlink" : "other";
}

/** Returns a time as RFC 3339 can state it. */
export function timeText(ms: number): string {
  return new Date(Math.min(Math.max(0, ms), lastTimeMs)).toISOString();
}
