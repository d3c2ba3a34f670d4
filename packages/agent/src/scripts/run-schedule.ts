import type { Clock } from "@slipway/runtime";

import type { CronSchedule } from "./cron.ts";

/** A timer cannot wait longer than 24 days, and a machine's clock may be set in the meantime. */
const maxSleepMs = 60_000;

/** Calls `run` at each time of the schedule, without waiting for it; runs may overlap. Ends by the signal. */
export async function runSchedule(
  schedule: CronSchedule,
  run: () => void,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  for (;;) {
    const at = schedule.next(clock.now());
    if (at === undefined) return;
    while (clock.now() < at) {
      await clock.sleep(Math.min(at - clock.now(), maxSleepMs), signal);
    }
    run();
  }
}
