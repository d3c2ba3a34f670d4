import type { Clock } from "@slipway/runtime";

/** The time before a slow stop reports what it waits for, and between two reports. */
const patienceMs = 1_000;

interface Stop {
  /** Returns what the stop waits for now. */
  readonly waitsFor: () => string;
  /** The way to end it immediately. */
  readonly hint: string;
  readonly write: (text: string) => void;
  readonly clock: Pick<Clock, "sleep">;
}

/** Reports what a slow stop waits for, whenever that changes. Rejects with the signal's reason. */
export async function announceWait(
  { waitsFor, hint, write, clock }: Stop,
  signal: AbortSignal,
): Promise<never> {
  let told: string | undefined;
  for (;;) {
    await clock.sleep(patienceMs, signal);
    const reason = waitsFor();
    if (reason !== told) write(`still waiting for ${reason}; ${hint}\n`);
    told = reason;
  }
}
