import type { Candidate } from "./candidates.ts";

/** The least advantage, in points, for which a path is changed. */
const leastAdvantage = 1;

/**
 * Returns true if an address is better than another by more than noise: latency counts as the percentage by which it is
 * less, nearness as points (docs/protocol/tailnet.md §6.4). One that never answered is the worst.
 */
export function isBetter(one: Candidate, other: Candidate): boolean {
  if (one.latencyMs === undefined) return false;
  if (other.latencyMs === undefined) return true;
  const advantage = percentLess(one.latencyMs, other.latencyMs) + one.nearness - other.nearness;
  return advantage >= leastAdvantage;
}

/** Returns the percentage by which the first latency is less than the second; negative if it is more. */
function percentLess(one: number, other: number): number {
  const most = Math.max(one, other);
  return most <= 0 ? 0 : ((other - one) / most) * 100;
}
