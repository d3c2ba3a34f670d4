import type { Clock } from "@slipway/runtime";

/** Sends stats, or with `isFirst` only asks for the interval; returns the interval in milliseconds. */
export type SendStats = (
  options: { readonly isFirst: boolean },
  signal: AbortSignal,
) => Promise<number>;

/** The bounds of the interval, whatever a server asks for. */
const minIntervalMs = 1000;
const maxIntervalMs = 24 * 3_600_000;

/** Asks for the interval, then reports at each; every answer may change it, and 0 turns reports off. Ends by the signal. */
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
