import { readFileSync } from "node:fs";

import type { Limits } from "../platform/config/limits.ts";
import type { OpenLimits } from "../platform/http/open-counts.ts";

/** The part of the files that the system lets this process open which connections may take. */
const share = 3 / 4;

/**
 * How many connections the listener lets in: what the settings say, but never so many that no file is left for the server
 * itself, nor so many from one address that none is left for others.
 */
export function connectionLimits(
  { maxConnections, maxConnectionsPerAddress }: Limits,
  openFiles: number = readOpenFiles(),
): OpenLimits {
  const possible = Math.floor(openFiles * share);
  return {
    inAll: Math.min(maxConnections, possible),
    perAddress: Math.min(maxConnectionsPerAddress, Math.floor(possible / 2)),
  };
}

/** The number of files that the system lets this process open; `Infinity` where it does not tell. */
function readOpenFiles(): number {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  } catch {
    // Only Linux has this file.
    return Infinity;
  }
}
