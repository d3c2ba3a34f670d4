import { errorText, type Clock } from "@slipway/runtime";

/** The times at which a script runs. */
export interface CronSchedule {
  /** Returns the next time after `ms`, both in milliseconds since 1970; undefined if there is none. */
  next(ms: number): number | undefined;
}

/** The highest value of each field, for `N/step` and `MON/step`, which mean "from N on". */
const highest = [59, 59, 23, 31, 12, 6] as const;
/** Numbers, signs, and names of months and days: the syntax that a stock agent accepts. */
const field = /^(?:[\d*/,?-]|[a-z]{3}(?![a-z]))+$/i;

/**
 * Parses a schedule (docs/protocol/agent.md §4.4): seconds, minute, hour, day of month, month and, optionally, day of week. A
 * leading `TZ=` or `CRON_TZ=` names the time zone (default: the machine's). Rejects with `CronError`.
 */
export async function parseCron(text: string): Promise<CronSchedule> {
  const zoned = /^(?:CRON_)?TZ=(\S+)\s+(.*)$/.exec(text.trim());
  const timeZone = zoned?.[1];
  const fields = (zoned?.[2] ?? text.trim()).split(/\s+/);
  if (fields.length === 5) fields.push("*");
  if (fields.length !== 6 || !fields.every((part) => field.test(part))) {
    throw new CronError(
      `cron schedule is ${JSON.stringify(text)}, wanted: seconds minute hour day-of-month month [day-of-week]`,
    );
  }
  // Loaded only when a script has a schedule: loading costs memory, and time before the first call.
  const { Cron } = await import("croner");
  try {
    const cron = new Cron(fields.map((part, index) => withRange(part, index)).join(" "), {
      mode: "6-part",
      paused: true,
      ...(timeZone === undefined ? {} : { timezone: timeZone }),
    });
    // Fails for an unknown time zone.
    cron.nextRun();
    return { next: (ms) => cron.nextRun(new Date(ms))?.getTime() };
  } catch (error) {
    throw new CronError(`cron schedule is ${JSON.stringify(text)}: ${errorText(error)}`, {
      cause: error,
    });
  }
}

/** The maximum sleep: timers are limited to 24 days, and the machine's clock may be set in the meantime. */
const maxSleepMs = 60_000;

/** Calls `run` at each time of the schedule. Runs may overlap. Rejects with the signal's reason. */
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

/** A malformed schedule. */
export class CronError extends Error {
  override readonly name = "CronError";
  readonly code = "bad-cron";
}

function withRange(part: string, index: number): string {
  return part
    .split(",")
    .map((item) => item.replace(/^(\d+|[a-z]{3})\//i, `$1-${highest[index] ?? 0}/`))
    .join(",");
}
