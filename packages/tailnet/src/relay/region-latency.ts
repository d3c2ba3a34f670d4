import { type Clock, Turnstile, withDeadline } from "@slipway/runtime";

import { type DerpMap, type DerpNode, relayNodes } from "./derp-map.ts";

/** A relay's answer to a latency check. */
export interface Latency {
  readonly latencyMs: number;
  /** The address family over which it was reached. */
  readonly family: "v4" | "v6";
}

/** Times `GET /derp/latency-check` on a new connection (docs/protocol/tailnet.md §2.7). Rejects if there is no answer. */
export type FetchLatency = (node: DerpNode, signal: AbortSignal) => Promise<Latency>;

/** The regions that answered, by number. */
export type LatencyReport = ReadonlyMap<number, Latency>;

interface MeasureNeeds {
  readonly fetchLatency: FetchLatency;
  readonly clock: Pick<Clock, "sleep">;
  readonly signal: AbortSignal;
}

/** The timeout for the check of all regions (docs/protocol/tailnet.md §2.7). */
const checkTimeoutMs = 2_000;
/** The maximum number of concurrent checks. */
const maxChecks = 16;

/**
 * Measures every region that has a relay; those that do not answer in time are left out. Throws the signal's reason.
 */
export async function measureRegions(
  { regions }: DerpMap,
  { fetchLatency, clock, signal }: MeasureNeeds,
): Promise<LatencyReport> {
  const report = new Map<number, Latency>();
  const turns = new Turnstile((inside) => inside < maxChecks);
  await withDeadline(checkTimeoutMs, clock, async (limit) => {
    const either = AbortSignal.any([signal, limit]);
    const checks = regions.values().map(async (region) => {
      const [node] = relayNodes(region);
      if (node === undefined) return;
      try {
        const latency = await turns.run(either, () => fetchLatency(node, either));
        report.set(region.regionId, latency);
      } catch {
        // A region without an answer is not in the report.
      }
    });
    await Promise.all(checks);
  });
  signal.throwIfAborted();
  return report;
}

/** Returns a report in the form that a node publishes: seconds by region and family (docs/protocol/tailnet.md §2.1). */
export function derpLatencies(report: LatencyReport): Readonly<Record<string, number>> {
  const entries = [...report].map(([regionId, { latencyMs, family }]) => [
    `${String(regionId)}-${family}`,
    latencyMs / 1000,
  ]);
  return Object.fromEntries(entries);
}
