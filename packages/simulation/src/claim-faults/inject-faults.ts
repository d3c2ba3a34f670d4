import { Scope } from "@slipway/runtime";
import { Random } from "@slipway/testkit/random";

import { type Fault, stayBroken } from "./fault.ts";
import type { FaultCount } from "./options.ts";

/** A fault that occurred and was repaired. */
export interface InjectedFault {
  readonly kind: string;
  readonly what: string;
  readonly atMs: number;
  readonly lastedMs: number;
}

const maxSeed = 2 ** 31;

interface InjectionOptions {
  readonly faults: readonly Fault[];
  readonly random: Random;
  readonly everyMs: number;
  readonly onFault: (fault: InjectedFault) => void;
}

/**
 * Injects faults, several at a time, until the signal is aborted; resolves once all are repaired. The time and choice
 * of each, and its decisions, depend on the seed alone.
 */
export async function injectFaults(options: InjectionOptions, signal: AbortSignal): Promise<void> {
  const { random, everyMs } = options;
  await using strikes = new Scope();
  while (!signal.aborted) {
    await stayBroken(-Math.log(1 - random.next()) * everyMs, signal);
    strikes.signal.throwIfAborted();
    const fault = choose(options.faults, random);
    const own = new Random(random.below(maxSeed));
    if (!signal.aborted) strikes.run(() => strike(fault, own, options.onFault, signal));
  }
  await strikes.join();
}

async function strike(
  fault: Fault,
  random: Random,
  onFault: InjectionOptions["onFault"],
  signal: AbortSignal,
): Promise<void> {
  const atMs = Date.now();
  const what = await fault.strike(random, signal);
  if (what !== undefined) {
    onFault({ kind: fault.kind, what, atMs, lastedMs: Date.now() - atMs });
  }
}

function choose(faults: readonly Fault[], random: Random): Fault {
  let left = random.between(
    0,
    faults.reduce((sum, { weight }) => sum + weight, 0),
  );
  for (const fault of faults) {
    left -= fault.weight;
    if (left < 0) return fault;
  }
  throw new Error("no faults to choose from");
}

/** Returns the counts of faults by kind, the most frequent first. */
export function countFaults(faults: readonly InjectedFault[]): readonly FaultCount[] {
  return [...Map.groupBy(faults, ({ kind }) => kind)]
    .map(([kind, all]) => ({
      kind,
      count: all.length,
      totalMs: all.reduce((sum, { lastedMs }) => sum + lastedMs, 0),
      maxMs: Math.max(...all.map(({ lastedMs }) => lastedMs)),
    }))
    .toSorted((a, b) => b.count - a.count);
}
