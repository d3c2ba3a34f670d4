import type { Stats } from "node:fs";

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

/** Returns the line that `ls -l` shows for a file, as far as it is known without the names of users. */
export function longName(name: string, stats: Stats): string {
  const type = types.get(stats.mode & typeBits) ?? "-";
  const rights = [6, 3, 0]
    .map((shift) => (stats.mode >> shift) & 0o7)
    .map((bits) => `${bits & 4 ? "r" : "-"}${bits & 2 ? "w" : "-"}${bits & 1 ? "x" : "-"}`)
    .join("");
  // As it is in the attributes: that of the file may be too far away for a `Date`.
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
