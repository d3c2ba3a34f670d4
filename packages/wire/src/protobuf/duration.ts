import { create } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import type { Duration } from "@bufbuild/protobuf/wkt";

const nsPerSecond = 1_000_000_000n;

/** Converts milliseconds, rounded to whole nanoseconds; both parts have the sign of the whole. */
export function durationFromMs(ms: number): Duration {
  const seconds = Math.trunc(ms / 1000);
  // Milliseconds first: a product of all of them would leave the exact integers.
  const nanos = Math.round((ms - seconds * 1000) * 1_000_000);
  return durationFromNs(BigInt(seconds) * nsPerSecond + BigInt(nanos));
}

/** Returns milliseconds with fractions; an absent duration is 0 (docs/protocol/rpc.md §4). */
export function durationToMs(duration: Duration | undefined): number {
  if (duration === undefined) return 0;
  return Number(duration.seconds) * 1000 + duration.nanos / 1_000_000;
}

export function durationFromNs(ns: bigint): Duration {
  return create(DurationSchema, { seconds: ns / nsPerSecond, nanos: Number(ns % nsPerSecond) });
}

/** Returns nanoseconds; an absent duration is 0. */
export function durationToNs(duration: Duration | undefined): bigint {
  if (duration === undefined) return 0n;
  return duration.seconds * nsPerSecond + BigInt(duration.nanos);
}
