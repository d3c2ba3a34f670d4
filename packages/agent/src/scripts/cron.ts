import { errorText } from "@slipway/runtime";

import { CronError } from "./errors.ts";

/** The times at which a script runs by itself. */
export interface CronSchedule {
  /** Returns the next time after `ms`, both in milliseconds since 1970; undefined when there is none. */
  next(ms: number): number | undefined;
}

/** The highest value of each field, for `N/step` and `MON/step`, which mean "from there on". */
const highest = [59, 59, 23, 31, 12, 6] as const;
/** Numbers, signs, and names of months and days: the syntax that a stock agent also knows. */
const field = /^(?:[\d*/,?-]|[a-z]{3}(?![a-z]))+$/i;

/**
 * Reads a schedule (docs/protocol/agent.md §4.4): seconds, minute, hour, day of month, month and, if wanted, day of week; `TZ=` or
 * `CRON_TZ=` before it names the time zone, else it is the machine's. Rejects with `CronError`.
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
  // Loaded only when a script has a schedule: memory, and time before the first call.
  const { Cron } = await import("croner");
  try {
    const cron = new Cron(fields.map((part, index) => withRange(part, index)).join(" "), {
      mode: "6-part",
      paused: true,
      ...(timeZone === undefined ? {} : { timezone: timeZone }),
    });
    // A time zone that does not exist is only found when it is used.
    cron.nextRun();
    return { next: (ms) => cron.nextRun(new Date(ms))?.getTime() };
  } catch (error) {
    throw new CronError(`cron schedule is ${JSON.stringify(text)}: ${errorText(error)}`, {
      cause: error,
    });
  }
}

function withRange(part: string, index: number): string {
  return part
    .split(",")
    .map((item) => item.replace(/^(\d+|[a-z]{3})\//i, `$1-${highest[index] ?? 0}/`))
    .join(",");
}
