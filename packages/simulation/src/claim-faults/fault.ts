import { setTimeout as pause } from "node:timers/promises";

import type { Random } from "@slipway/testkit/random";

/** A way in which something breaks. */
export interface Fault {
  readonly kind: string;
  /** The weight of its choice beside others. */
  readonly weight: number;
  /**
   * Strikes and repairs; resolves to the target, undefined when there was none. Repairs at once when the signal is
   * aborted.
   */
  readonly strike: (random: Random, signal: AbortSignal) => Promise<string | undefined>;
}

/** Waits while something stays broken; less when the signal is aborted. */
export async function stayBroken(ms: number, signal: AbortSignal): Promise<void> {
  // The signal only means that it is time to repair.
  await pause(ms, undefined, { signal }).catch(() => undefined);
}
