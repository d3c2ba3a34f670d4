import { withTimeout } from "@slipway/runtime";
import { Random } from "@slipway/testkit/random";

import { type InjectedFault, injectFaults } from "./inject-faults.ts";
import { networkFaults } from "./network-faults.ts";
import type { ClaimFaultsOptions } from "./options.ts";
import { processFaults } from "./process-faults.ts";
import type { Stage } from "./stage.ts";

/**
 * Makes users claim while faults occur; resolves once there are enough claims, or the time is up, and everything is
 * repaired.
 */
export async function claimUnderFaults(
  { deployment, fleet, claims, actors }: Stage,
  { seed, faultEveryMs, maxStallMs, claimsWithinMs }: ClaimFaultsOptions,
  onFault: (fault: InjectedFault) => void,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const repaired = injectFaults(
    {
      faults: [
        ...processFaults(deployment, fleet),
        ...networkFaults(deployment.proxies, maxStallMs),
      ],
      random: new Random(seed),
      everyMs: faultEveryMs,
      onFault,
    },
    AbortSignal.any([over.signal, signal]),
  );
  const limit = withTimeout(signal, claimsWithinMs);
  try {
    await Promise.race([claims.make(actors, limit), repaired]);
  } catch (error) {
    // The violations report what is missing by then.
    if (!limit.aborted) throw error;
  } finally {
    over.abort();
    await repaired;
  }
}
