import type { HostileOutcome, Interval } from "./options.ts";

/** The maximum latency of the 99th percentile of others' requests, in milliseconds. */
const maxP99Ms = 100;
/** The maximum latency of any of their requests, in milliseconds. */
const maxWorstMs = 500;
/** The maximum growth of memory from the second to the last quarter of a run, in percent. */
const maxMemoryGrowthPercent = 15;
/**
 * The maximum growth of the data directory in the second half of a run: data that stays is bounded, and the space of
 * data that passes is reused.
 */
const maxDiskGrowthPerHour = 256 * 1024 * 1024;
/** The minimum number of measurements for a verdict on memory and disk. */
const minIntervals = 8;

const msPerHour = 3_600_000;

/** Lists the violations in a run. */
export function judgeHostileRun({
  intervals,
  faults,
  p99Ms,
  worstMs,
}: Pick<HostileOutcome, "intervals" | "faults" | "p99Ms" | "worstMs">): readonly string[] {
  return [
    ...faults,
    ...(p99Ms <= maxP99Ms
      ? []
      : [
          `99 of 100 requests of the bystander took up to ${p99Ms.toFixed(0)} ms, wanted ${maxP99Ms}`,
        ]),
    ...(worstMs <= maxWorstMs
      ? []
      : [`a request of the bystander took ${worstMs.toFixed(0)} ms, wanted ${maxWorstMs} at most`]),
    ...(intervals.length < minIntervals
      ? []
      : [...judgeMemory(intervals), ...judgeDisk(intervals)]),
  ];
}

function judgeMemory(intervals: readonly Interval[]): readonly string[] {
  const quarter = Math.floor(intervals.length / 4);
  const early = mean(intervals.slice(quarter, 2 * quarter).map(({ memoryBytes }) => memoryBytes));
  const late = mean(intervals.slice(-quarter).map(({ memoryBytes }) => memoryBytes));
  const growth = (late / early - 1) * 100;
  if (growth <= maxMemoryGrowthPercent || Number.isNaN(growth)) return [];
  return [`memory grew by ${growth.toFixed(0)} %, at most ${maxMemoryGrowthPercent} % is flat`];
}

function judgeDisk(intervals: readonly Interval[]): readonly string[] {
  const half = intervals.slice(Math.floor(intervals.length / 2));
  const [first, last] = [half[0], half.at(-1)];
  if (first === undefined || last === undefined || last.atMs === first.atMs) return [];
  const perHour = ((last.diskBytes - first.diskBytes) / (last.atMs - first.atMs)) * msPerHour;
  if (perHour <= maxDiskGrowthPerHour) return [];
  const [found, wanted] = [perHour, maxDiskGrowthPerHour].map((bytes) =>
    Math.round(bytes / 2 ** 20),
  );
  return [`the data directory grew by ${found} MiB an hour, at most ${wanted} are bounded`];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
