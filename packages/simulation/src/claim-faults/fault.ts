import { setTimeout as pause } from "node:timers/promises";

import type { Random } from "@slipway/testkit/random";

/** A way in which something breaks. */
export interface Fault {
  readonly kind: string;
  /** The weight of the fault in random choices. */
  readonly weight: number;
  /**
   * Breaks and repairs something; resolves to the target, undefined if there was none. Repairs immediately when the
   * signal is aborted.
   */
  readonly strike: (random: Random, signal: AbortSignal) => Promise<string | undefined>;
}

/** Waits while something stays broken; returns early when the signal is aborted. */
export async function stayBroken(ms: number, signal: AbortSignal): Promise<void> {
  // An aborted signal only means that it is time to repair.
  await pause(ms, undefined, { signal }).catch(() => undefined);
}
