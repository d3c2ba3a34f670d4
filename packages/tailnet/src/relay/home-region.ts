import { type DerpMap, relayNodes } from "./derp-map.ts";
import type { LatencyReport } from "./region-latency.ts";

/** A report with the time of its measurement. */
export interface DatedReport {
  readonly atMs: number;
  readonly report: LatencyReport;
}

export interface HomeChoice {
  readonly map: DerpMap;
  /** Newest last; those older than `reportLifetimeMs` do not count. */
  readonly reports: readonly DatedReport[];
  readonly current: number | undefined;
  readonly nowMs: number;
  /** A number of this process, so that peers without any measurement spread over the regions. */
  readonly processNumber: number;
}

/** The time for which a measurement counts (docs/protocol/tailnet.md §2.7). */
export const reportLifetimeMs = 5 * 60_000;
/** A peer keeps its region unless a nearer one gains at least this, and at least a third. */
const minGainMs = 10;
const maxKeepRatio = 2 / 3;

/** Chooses the home region by the rules of docs/protocol/tailnet.md §2.7; undefined if the map has no relay. */
export function chooseHome(choice: HomeChoice): number | undefined {
  const latencies = bestLatencies(choice);
  const [nearest] = [...latencies].toSorted(([, one], [, other]) => one - other);
  const { current } = choice;
  if (nearest === undefined) return arbitraryHome(choice);
  const [regionId, latencyMs] = nearest;
  const currentMs = current === undefined ? undefined : latencies.get(current);
  if (currentMs === undefined) return regionId;
  const isKept = currentMs - latencyMs < minGainMs || latencyMs > currentMs * maxKeepRatio;
  return isKept ? current : regionId;
}

/** Returns the best scored latency of each region in the latest report. */
function bestLatencies({ map, reports, nowMs }: HomeChoice): ReadonlyMap<number, number> {
  const best = new Map<number, number>();
  for (const regionId of reports.at(-1)?.report.keys() ?? []) {
    if (!hasRelay(map, regionId)) continue;
    const score = map.scores.get(regionId) ?? 1;
    for (const { atMs, report } of reports) {
      const latency = report.get(regionId);
      if (latency === undefined || nowMs - atMs > reportLifetimeMs) continue;
      best.set(regionId, Math.min(best.get(regionId) ?? Infinity, latency.latencyMs * score));
    }
  }
  return best;
}

function arbitraryHome({ map, current, processNumber }: HomeChoice): number | undefined {
  if (current !== undefined && hasRelay(map, current)) return current;
  const ids = [...map.regions.keys()].filter((id) => hasRelay(map, id)).toSorted((a, b) => a - b);
  return ids[processNumber % ids.length];
}

function hasRelay({ regions }: DerpMap, regionId: number): boolean {
  const region = regions.get(regionId);
  return region !== undefined && relayNodes(region).length > 0;
}
