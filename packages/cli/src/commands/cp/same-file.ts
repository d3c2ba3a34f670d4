import type { Stats } from "node:fs";

import type { FileEntry } from "@slipway/api/agents/file-routes";

/** Returns whether a file of this machine and one of a workspace are copies of each other: by size and second. */
export function isSameFile(local: Stats, remote: FileEntry): boolean {
  if (!local.isFile() || remote.type !== "file" || local.size !== remote.size) return false;
  return secondOf(local.mtimeMs) === secondOf(Date.parse(remote.modified_at));
}

/** An archive states whole seconds, from 1970 on. */
function secondOf(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
}
