import { type Clock, UnfinishedBytes } from "@slipway/runtime";

import type { Limits } from "../platform/config/limits.ts";

/** The time that a request or message may take from its first byte to its last. */
const timeoutMs = 60_000;
/** The interval at which the server looks for those that take longer. */
const lookMs = 5_000;

/** Opens the count of what has arrived of requests and messages of this server that are not complete. */
export function openUnfinished({
  maxUnfinishedBytes,
}: Pick<Limits, "maxUnfinishedBytes">): UnfinishedBytes {
  return new UnfinishedBytes({ maxBytes: maxUnfinishedBytes, timeoutMs });
}

/** Cuts off connections whose messages do not become complete, until the signal. */
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
