import { readFileSync } from "node:fs";

import { type Clock, UnfinishedBytes } from "@slipway/runtime";

import type { Limits } from "../platform/config/limits.ts";
import type { OpenLimits } from "../platform/http/open-counts.ts";

/** The share of this process's open-file limit that connections may use. */
const share = 3 / 4;

/**
 * Returns the listener's connection limits: those of the settings, reduced so that files remain for the server itself,
 * and that one address leaves room for others.
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

/** Returns this process's open-file limit; `Infinity` if the system does not report it. */
function readOpenFiles(): number {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  } catch {
    // Only Linux has this file.
    return Infinity;
  }
}

/** The time that a request or message may take from its first byte to its last. */
const timeoutMs = 60_000;
/** The interval at which the server looks for requests and messages that take longer. */
const lookMs = 5_000;

/** Opens the count of the bytes that have arrived of this server's incomplete requests and messages. */
export function openUnfinished({
  maxUnfinishedBytes,
}: Pick<Limits, "maxUnfinishedBytes">): UnfinishedBytes {
  return new UnfinishedBytes({ maxBytes: maxUnfinishedBytes, timeoutMs });
}

/** Cuts off connections whose requests and messages stay incomplete, until the signal. */
export async function cutOffUnfinished(
  unfinished: UnfinishedBytes,
  clock: Pick<Clock, "sleep" | "monotonic">,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await clock.sleep(lookMs, signal);
    unfinished.cutOffOverdue(clock.monotonic());
  }
}
