import type { Duration } from "@bufbuild/protobuf/wkt";

import { durationFromNs, durationToNs } from "./duration.ts";

/**
 * `interval` and `timeout` of an agent's metadata are wrong by contract: both sides put the number of seconds where
 * nanoseconds belong, so 10 s travel as `Duration { nanos: 10 }` (docs/protocol/rpc.md §7.1). `seconds` is cut to a whole number.
 */
export function metadataDuration(seconds: number): Duration {
  return durationFromNs(BigInt(Math.trunc(seconds)));
}

/** Returns the seconds in such a duration; 0 if it is absent. */
export function metadataSeconds(duration: Duration | undefined): number {
  return Number(durationToNs(duration));
}
