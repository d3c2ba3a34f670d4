import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { parseProcStatus } from "@slipway/runtime";

/** Returns the resident memory of a process; NaN where the system does not report it. */
export async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return (parseProcStatus(status, "VmRSS") ?? Number.NaN) * 1024;
}

/** Counts the bytes of all files under a directory; files that disappear during the count are skipped. */
export async function diskOf(directory: string): Promise<number> {
  const names = await readdir(directory).catch(() => []);
  let bytes = 0;
  for (const name of names) {
    const path = join(directory, name);
    const found = await lstat(path).catch(() => undefined);
    if (found === undefined) continue;
    bytes += found.isDirectory() ? await diskOf(path) : found.size;
  }
  return bytes;
}

/** Returns the value below which this share of the values lies; NaN if there are no values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
