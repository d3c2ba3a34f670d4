import { create } from "@bufbuild/protobuf";
import {
  DurationSchema,
  type Duration,
  TimestampSchema,
  type Timestamp,
} from "@bufbuild/protobuf/wkt";

const nsPerSecond = 1_000_000_000n;

/** Converts milliseconds, rounded to whole nanoseconds; both parts have the sign of the whole. */
export function durationFromMs(ms: number): Duration {
  const seconds = Math.trunc(ms / 1000);
  // Whole milliseconds first: multiplying all of them would exceed the exact integers.
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

/**
 * Creates the `interval` or `timeout` of an agent's metadata, which is wrong by contract: both sides put the number
 * of seconds where nanoseconds belong, so 10 s travel as `Duration { nanos: 10 }` (docs/protocol/rpc.md §7.1).
 * `seconds` is truncated to an integer.
 */
export function metadataDuration(seconds: number): Duration {
  return durationFromNs(BigInt(Math.trunc(seconds)));
}

/** Returns the seconds in such a duration; 0 if it is absent. */
export function metadataSeconds(duration: Duration | undefined): number {
  return Number(durationToNs(duration));
}

/** Creates a timestamp from milliseconds since 1970, rounded to whole nanoseconds. */
export function timestampFromMs(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1000);
  const nanos = Math.round((ms - seconds * 1000) * 1_000_000);
  return timestampFromNs(BigInt(seconds) * nsPerSecond + BigInt(nanos));
}

/**
 * Returns milliseconds since 1970 with fractions, exact to about a microsecond; an absent timestamp is 1970
 * (docs/protocol/rpc.md §4).
 */
export function timestampToMs(timestamp: Timestamp | undefined): number {
  if (timestamp === undefined) return 0;
  return Number(timestamp.seconds) * 1000 + timestamp.nanos / 1_000_000;
}

/** Creates a timestamp from nanoseconds since 1970. */
export function timestampFromNs(ns: bigint): Timestamp {
  // `nanos` is never negative, not even before 1970.
  const nanos = ((ns % nsPerSecond) + nsPerSecond) % nsPerSecond;
  return create(TimestampSchema, { seconds: (ns - nanos) / nsPerSecond, nanos: Number(nanos) });
}

/** Returns nanoseconds since 1970; an absent timestamp is 1970. */
export function timestampToNs(timestamp: Timestamp | undefined): bigint {
  if (timestamp === undefined) return 0n;
  return timestamp.seconds * nsPerSecond + BigInt(timestamp.nanos);
}
