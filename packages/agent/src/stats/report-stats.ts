import type { Clock } from "@slipway/runtime";

/** Sends stats, or only requests the interval if `isFirst`. Resolves to the interval, in milliseconds. */
export type SendStats = (
  options: { readonly isFirst: boolean },
  signal: AbortSignal,
) => Promise<number>;

/** The bounds of the interval, regardless of the server's request. */
const minIntervalMs = 1000;
const maxIntervalMs = 24 * 3_600_000;

/** Requests the interval, and reports at each. Every answer may change it; 0 ends the reports. Rejects with the signal's reason. */
export async function reportStats(
  send: SendStats,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  let intervalMs = await send({ isFirst: true }, signal);
  while (intervalMs > 0) {
    await clock.sleep(Math.min(Math.max(intervalMs, minIntervalMs), maxIntervalMs), signal);
    intervalMs = await send({ isFirst: false }, signal);
  }
}
