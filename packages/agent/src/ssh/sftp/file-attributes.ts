import { constants, type Stats } from "node:fs";
import { chmod, chown, type FileHandle, lchown, lutimes, open, utimes } from "node:fs/promises";

import { rightsBits } from "../../files/describe-file.ts";
import { openWithoutEffect } from "../../files/open-file.ts";
import type { Attributes } from "./fields.ts";

export function attributesOf(stats: Stats): Required<Attributes> {
  const seconds = (ms: number): number => Math.min(Math.max(0, Math.floor(ms / 1000)), 0xffffffff);
  return {
    size: stats.size,
    owner: { uid: stats.uid, gid: stats.gid },
    mode: stats.mode,
    times: { accessed: seconds(stats.atimeMs), modified: seconds(stats.mtimeMs) },
  };
}

const types: ReadonlyMap<number, string> = new Map([
  [0o040000, "d"],
  [0o120000, "l"],
  [0o020000, "c"],
  [0o060000, "b"],
  [0o010000, "p"],
  [0o140000, "s"],
]);
const typeBits = 0o170000;

/** Returns the line of `ls -l` for a file, with ids instead of the names of users. */
export function longName(name: string, stats: Stats): string {
  const type = types.get(stats.mode & typeBits) ?? "-";
  const rights = [6, 3, 0]
    .map((shift) => (stats.mode >> shift) & 0o7)
    .map((bits) => `${bits & 4 ? "r" : "-"}${bits & 2 ? "w" : "-"}${bits & 1 ? "x" : "-"}`)
    .join("");
  // The time from the attributes, which is limited: that of the file may exceed a `Date`.
  const modified = new Date(attributesOf(stats).times.modified * 1000);
  const date = modified.toISOString().slice(0, 16).replace("T", " ");
  const columns = [
    type + rights,
    String(stats.nlink).padStart(4),
    String(stats.uid).padEnd(8),
    String(stats.gid).padEnd(8),
    String(stats.size).padStart(8),
    date,
    name,
  ];
  return columns.join(" ");
}

/** Sets attributes of a path, and follows links. */
export async function setPath(
  name: Buffer,
  { size, owner, mode, times }: Attributes,
): Promise<void> {
  if (size !== undefined) await truncateAt(name, size);
  if (mode !== undefined) await chmod(name, mode & rightsBits);
  if (times !== undefined) await utimes(name, times.accessed, times.modified);
  if (owner !== undefined) await chown(name, owner.uid, owner.gid);
}

/** Sets attributes of an open file. */
export async function setFile(
  file: FileHandle,
  { size, owner, mode, times }: Attributes,
): Promise<void> {
  if (size !== undefined) await file.truncate(size);
  if (mode !== undefined) await file.chmod(mode & rightsBits);
  if (times !== undefined) await file.utimes(times.accessed, times.modified);
  if (owner !== undefined) await file.chown(owner.uid, owner.gid);
}

/** Sets attributes of a link rather than of its target; a link has neither a size nor a mode to set. */
export async function setLink(name: Buffer, { owner, times }: Attributes): Promise<void> {
  if (times !== undefined) await lutimes(name, times.accessed, times.modified);
  if (owner !== undefined) await lchown(name, owner.uid, owner.gid);
}

/** Truncates a file that is opened as by OPEN: `truncate` itself would wait for a lease and take a terminal. */
async function truncateAt(name: Buffer, size: number): Promise<void> {
  await using file = await open(name, constants.O_WRONLY | openWithoutEffect);
  await file.truncate(size);
}
