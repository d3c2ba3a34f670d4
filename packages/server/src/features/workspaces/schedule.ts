import { countText } from "@slipway/runtime";
import { isTimezone, parseCalendar } from "@slipway/template";
import { Cron } from "croner";

import { timestampFromMs } from "../../platform/db/timestamp.ts";
import { type Invalid, invalidField } from "../../platform/errors/errors.ts";
import type { TemplateTerms } from "../templates/version-queries.ts";
import type { Autostart } from "./queries.ts";

/** The shortest and the longest time to live, in milliseconds. */
const minTtlMs = 60_000;
const maxTtlMs = 30 * 24 * 60 * 60 * 1000;

/** Reads an autostart schedule; null and empty mean none. Throws `Invalid`. */
export function readAutostart(text: string | null | undefined, now: number): Autostart | undefined {
  if (text === null || text === undefined || text.trim() === "") return undefined;
  const parsed = parseAutostart(text);
  if ("problem" in parsed) throw invalidSchedule(parsed.problem);
  const next = parsed.schedule.nextAfter(now);
  if (next === undefined) throw invalidSchedule(`"${text}" never occurs`);
  return { schedule: text.trim(), nextAt: timestampFromMs(next) };
}

/** Reads a time to live; null, 0 and undefined mean none. Throws `Invalid`. */
export function readTtl(ttlMs: number | null | undefined): number | undefined {
  if (ttlMs === null || ttlMs === undefined || ttlMs === 0) return undefined;
  if (ttlMs < minTtlMs || ttlMs > maxTtlMs) {
    throw invalidField(
      "ttl_ms",
      `must be between ${minTtlMs} (1 minute) and ${maxTtlMs} (30 days), found ${ttlMs}`,
    );
  }
  return ttlMs;
}

/** Throws `Invalid` for an autostart schedule if the template does not let owners set one; clearing it is always allowed. */
export function requireOwnAutostart(
  template: Pick<TemplateTerms, "name" | "allow_user_autostart">,
  autostart: Autostart | undefined,
): void {
  if (autostart === undefined || template.allow_user_autostart) return;
  throw invalidField(
    "schedule",
    `must be empty: template ${template.name} does not allow users to schedule starts`,
    "Autostart is not allowed for workspaces using this template.",
  );
}

/** Throws `Invalid` for a time to live other than the default if the template does not let owners change it; null: none. */
export function requireOwnTtl(
  template: Pick<TemplateTerms, "name" | "allow_user_autostop" | "default_ttl_ms">,
  ttlMs: number | null,
): void {
  if (template.allow_user_autostop || (ttlMs ?? 0) === template.default_ttl_ms) return;
  throw invalidField(
    "ttl_ms",
    `must be ${template.default_ttl_ms}: template ${template.name} does not allow users to change its default`,
    "Custom autostop TTL is not allowed for workspaces using this template.",
  );
}

/** Throws `Invalid` if a workspace without a time to live is to be deleted at its deadline. */
export function requireTtl(ttlMs: number): void {
  if (ttlMs > 0) return;
  throw invalidField("on_deadline", "must be stop: the workspace has no time to live");
}

function invalidSchedule(detail: string): Invalid {
  return invalidField("schedule", detail, "Invalid autostart schedule.");
}

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
