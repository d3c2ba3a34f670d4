import { type BurstOutcome, runBurst } from "@slipway/simulation";

/** Flags of a burst, as text. */
interface BurstFlags {
  readonly burst: string;
  readonly servers: string;
  readonly over: string;
  readonly kill: boolean;
  readonly cores: string;
  readonly shared: boolean;
  readonly seed?: string;
}

/** Simulates a burst of claims; returns what became of it, and whether none was lost, doubled or left out. */
export async function simulateBurst(
  flags: BurstFlags,
): Promise<{ readonly isWell: boolean; readonly outcome: Readonly<Record<string, number>> }> {
  const outcome = await runBurst({
    seed: Number(flags.seed ?? 1),
    claims: Number(flags.burst),
    servers: Number(flags.servers),
    overMs: Number(flags.over) * 1_000,
    kills: flags.kill,
    cores: Number(flags.cores),
    isShared: flags.shared,
  });
  const { times, lost, doubled, unserved, busy, cut, lastMs } = outcome;
  return {
    isWell: lost + doubled + unserved === 0,
    outcome: {
      "median, ms": quantile(times, 0.5),
      "95th percentile, ms": quantile(times, 0.95),
      "99th percentile, ms": quantile(times, 0.99),
      "last claim, ms": Math.round(lastMs),
      "refused as too many": busy,
      "cut by the kill": cut,
      unserved,
      lost,
      doubled,
    },
  };
}

function quantile(times: BurstOutcome["times"], share: number): number {
  return Math.round(times[Math.floor(share * times.length)] ?? Number.NaN);
}
