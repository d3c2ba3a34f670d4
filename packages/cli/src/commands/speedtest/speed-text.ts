import type { SpeedtestInterval } from "@slipway/sdk/workspace";

const bytesPerMegabyte = 1_000_000;

/** Renders a part of a test: its times, the data and the speed. */
export function intervalRow(interval: SpeedtestInterval): string[] {
  const { startMs, endMs, bytes } = interval;
  const seconds = [startMs, endMs].map((ms) => (ms / 1_000).toFixed(2)).join(" - ");
  const megabytes = bytes / bytesPerMegabyte;
  return [`${seconds} s`, `${megabytes.toFixed(1)} MB`, `${megabits(interval).toFixed(1)} Mbit/s`];
}

/** Returns a test as JSON, in the form of the stock command. */
export function speedJson(
  overall: SpeedtestInterval,
  intervals: readonly SpeedtestInterval[],
): unknown {
  return { overall: intervalJson(overall), intervals: intervals.map(intervalJson) };
}

function intervalJson(interval: SpeedtestInterval): Readonly<Record<string, number>> {
  return {
    start_time_seconds: interval.startMs / 1_000,
    end_time_seconds: interval.endMs / 1_000,
    throughput_mbits: megabits(interval),
  };
}

/** The speed in megabits a second. */
function megabits({ startMs, endMs, bytes }: SpeedtestInterval): number {
  const ms = endMs - startMs;
  return ms <= 0 ? 0 : (bytes * 8) / 1_000 / ms;
}
