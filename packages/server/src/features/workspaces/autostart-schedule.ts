import { countText } from "@slipway/runtime";
import { isTimezone, parseCalendar } from "@slipway/template";
import { Cron } from "croner";

/** A parsed schedule. */
export interface AutostartSchedule {
  /** Returns the first time after `afterMs`, both in milliseconds since the epoch; undefined when there is none. */
  nextAfter(afterMs: number): number | undefined;
}

/**
 * Parses an autostart schedule: minute, hour and weekday, every week, with `CRON_TZ=` before them (UTC without it),
 * such as `CRON_TZ=Europe/Berlin 30 9 * * 1-5`.
 */
export function parseAutostart(
  text: string,
): { readonly schedule: AutostartSchedule } | { readonly problem: string } {
  const words = text.trim().split(/\s+/);
  const zone = /^(?:CRON_)?TZ=(.*)$/.exec(words[0] ?? "")?.[1];
  const fields = zone === undefined ? words : words.slice(1);
  if (zone !== undefined && zone !== "UTC" && !isTimezone(zone)) {
    return { problem: `found the time zone "${zone.slice(0, 60)}", wanted an IANA name` };
  }
  if (fields.length !== 5) {
    return {
      problem: `found ${countText(fields.length, "field")}, wanted 5: minute, hour, *, * and the day of the week`,
    };
  }
  if (fields[2] !== "*" || fields[3] !== "*") {
    return { problem: "the day of the month and the month must be *: a schedule is weekly" };
  }
  const checked = parseCalendar(fields.join(" "));
  if ("problem" in checked) return checked;
  // Expanded value by value: the library does not know every syntax, such as `5/10`.
  const [minutes, hours, , , days] = checked.fields.map((values) => [...values].join(","));
  const spelled = `${minutes} ${hours} * * ${days}`;
  const cron = new Cron(spelled, { timezone: zone ?? "UTC", paused: true });
  return { schedule: { nextAfter: (ms) => cron.nextRun(new Date(ms))?.getTime() } };
}
