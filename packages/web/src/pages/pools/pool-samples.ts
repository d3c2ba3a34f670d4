import type { PrebuildPool } from "@slipway/api/prebuilds/routes";

/** The counts of a pool at one moment. */
export interface PoolSample {
  readonly atMs: number;
  readonly desired: number;
  readonly ready: number;
  readonly building: number;
  readonly claimed: number;
}

/** The samples of each pool by its preset, oldest first. */
export type PoolHistory = ReadonlyMap<string, readonly PoolSample[]>;

/** The most samples that are kept of a pool: an hour, if one is taken every 10 seconds. */
export const maxSamples = 360;

/** Adds the present state of the pools to their history; pools that are gone are forgotten. */
export function addSamples(
  history: PoolHistory,
  pools: readonly PrebuildPool[],
  atMs: number,
): PoolHistory {
  return new Map(
    pools.map((pool) => {
      const before = history.get(pool.preset_id) ?? [];
      if (before.at(-1)?.atMs === atMs) return [pool.preset_id, before];
      const sample = {
        atMs,
        desired: pool.desired,
        ready: pool.eligible,
        building: pool.starting + Math.max(0, pool.running - pool.eligible),
        claimed: pool.claimed,
      };
      return [pool.preset_id, [...before, sample].slice(-maxSamples)];
    }),
  );
}

interface ChartSize {
  readonly width: number;
  readonly height: number;
}

/** Returns the points of a line through one count of the samples, for an SVG polyline whose top is `most`. */
export function linePoints(
  samples: readonly PoolSample[],
  count: (sample: PoolSample) => number,
  most: number,
  { width, height }: ChartSize,
): string {
  const first = samples[0]?.atMs ?? 0;
  const span = Math.max(1, (samples.at(-1)?.atMs ?? 0) - first);
  const place = (sample: PoolSample): string => {
    const x = ((sample.atMs - first) / span) * width;
    const y = height - (count(sample) / Math.max(1, most)) * height;
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  };
  const points = samples.map(place);
  const only = samples[0];
  // One sample is a line over the whole width.
  return samples.length === 1 && only !== undefined
    ? `${points[0]} ${width},${points[0]?.split(",")[1]}`
    : points.join(" ");
}

/** Returns the largest count of the samples. */
export function largestCount(samples: readonly PoolSample[]): number {
  return Math.max(
    0,
    ...samples.map(({ desired, ready, building }) => Math.max(desired, ready + building)),
  );
}

/** Returns how many workspaces were claimed since the first sample. */
export function claimedSince(samples: readonly PoolSample[]): number {
  return Math.max(0, (samples.at(-1)?.claimed ?? 0) - (samples[0]?.claimed ?? 0));
}
