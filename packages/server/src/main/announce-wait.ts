import type { Clock } from "@slipway/runtime";

/** The time that a stop may take in silence, and to say what it waits for next. */
const patienceMs = 1_000;

interface Stop {
  /** Returns what the stop waits for now. */
  readonly waitsFor: () => string;
  /** The way to end it at once. */
  readonly hint: string;
  readonly write: (text: string) => void;
  readonly clock: Pick<Clock, "sleep">;
}

/** Says what a slow stop waits for, each time that it is something else. Rejects with the signal's reason. */
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
