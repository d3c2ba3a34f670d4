import { UsageError } from "../../command/errors.ts";

/** An automatic start, as typed. */
export interface StartTime {
  /** `9:30`, `9:30am`, `5pm`. */
  readonly time: string;
  /** `Mon-Fri`, `sat,sun`; undefined: every day. */
  readonly days: string | undefined;
  /** An IANA time zone. */
  readonly zone: string;
}

/** Returns the schedule in the server's form: `CRON_TZ=Europe/Berlin 30 9 * * mon-fri`. Throws `UsageError`. */
export function cronOf({ time, days = "*", zone }: StartTime): string {
  const found = /^(\d{1,2})(?::(\d{2}))?\s*(am|pm)?$/i.exec(time);
  const [hourText = "", minuteText, half] = found?.slice(1) ?? [];
  const hour = hourOf(Number(hourText), half?.toLowerCase());
  const minute = Number(minuteText ?? "0");
  const isBare = minuteText === undefined && half === undefined;
  if (found === null || isBare || hour === undefined || minute > 59) {
    throw new UsageError(`wanted a time such as 9:30am or 17:00, found "${time}"`);
  }
  if (!/^[\w*,-]+$/.test(days))
    throw new UsageError(`wanted days such as mon-fri or sat,sun, found "${days}"`);
  return `CRON_TZ=${zone} ${minute} ${hour} * * ${days.toLowerCase()}`;
}

/** Reads `9:30am mon-fri Europe/Berlin`: a time, then optional days and a zone. Throws `UsageError`. */
export function readStartTime(text: string): StartTime {
  const [time = "", ...more] = text.trim().split(/\s+/);
  const zone = more.find((word) => word.includes("/") || word === "UTC");
  const [days, ...rest] = more.filter((word) => word !== zone);
  if (rest.length > 0)
    throw new UsageError(`wanted a time, days and a zone, found "${text}"`, "such as: 9am mon-fri");
  return { time, days, zone: zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone };
}

function hourOf(hour: number, half: string | undefined): number | undefined {
  if (half === undefined) return hour > 23 ? undefined : hour;
  if (hour < 1 || hour > 12) return undefined;
  return (hour % 12) + (half === "pm" ? 12 : 0);
}
