/** The state of a resource in one datapoint. */
export type Sample = "ok" | "nok" | "unknown";
export type MonitorState = "ok" | "nok";

/** The shares of a window, in percent, from which a resource counts as low: in a row, and in total. */
const longestRunPercent = 50;
const totalPercent = 20;

/** Returns the sample of a usage; an absent usage or one with a total of zero is unknown. `threshold` is in percent. */
export function sampleOf(
  usage: { readonly used: bigint; readonly total: bigint } | undefined,
  threshold: number,
): Sample {
  if (usage === undefined || usage.total <= 0n) return "unknown";
  return Number((usage.used * 100n) / usage.total) >= threshold ? "nok" : "ok";
}

/**
 * Returns the state after a window of samples (docs/protocol/rpc.md §7.10); inconclusive samples do not change it.
 */
export function evaluateWindow(samples: readonly Sample[], before: MonitorState): MonitorState {
  if (samples.length === 0) return before;
  const percentOf = (count: number): number => (count * 100) / samples.length;
  const noks = samples.filter((sample) => sample === "nok").length;
  if (percentOf(longestRun(samples)) >= longestRunPercent) return "nok";
  if (percentOf(noks) >= totalPercent) return "nok";
  return samples.every((sample) => sample === "ok") ? "ok" : before;
}

function longestRun(samples: readonly Sample[]): number {
  let longest = 0;
  let run = 0;
  for (const sample of samples) {
    run = sample === "nok" ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}
