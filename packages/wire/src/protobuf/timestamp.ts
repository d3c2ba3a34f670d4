import { create } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import type { Timestamp } from "@bufbuild/protobuf/wkt";

const nsPerSecond = 1_000_000_000n;

/** Makes a timestamp of milliseconds since 1970, rounded to whole nanoseconds. */
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

/** Makes a timestamp of nanoseconds since 1970. */
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
