import { quote } from "./quote.ts";

/** The values that each field of a cron expression matches, in field order. */
export type CronFields = readonly ReadonlySet<number>[];

interface FieldRule {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const seconds: FieldRule = { name: "second", min: 0, max: 59 };
const minute: FieldRule = { name: "minute", min: 0, max: 59 };
const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const calendar: readonly FieldRule[] = [
  { name: "hour", min: 0, max: 23 },
  { name: "day of month", min: 1, max: 31 },
  { name: "month", min: 1, max: 12, names: months },
  { name: "day of week", min: 0, max: 6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

/**
 * Parses the `cron` of a script: the usual five fields, or six with the second first, with an optional `TZ=` prefix.
 * Returns six fields, because agents read five as second to month (docs/protocol/agent.md §4.4).
 */
export function parseScriptCron(
  text: string,
): { readonly cron: string } | { readonly problem: string } {
  const [zone = "", ...rest] = words(text);
  const hasZone = /^(CRON_)?TZ=/.test(zone);
  const parts = hasZone ? rest : words(text);
  const timezone = zone.slice(zone.indexOf("=") + 1);
  if (hasZone && !isTimezone(timezone))
    return { problem: `found the time zone ${quote(timezone)}, wanted an IANA name` };
  if (text.startsWith("@"))
    return {
      problem: `found ${quote(text)}, wanted five or six fields: @ forms are not supported`,
    };
  if (parts.length !== 5 && parts.length !== 6) {
    return {
      problem: `found ${parts.length} fields in ${quote(text)}, wanted 5 (minute first) or 6 (second first)`,
    };
  }
  const six = parts.length === 6 ? parts : ["0", ...parts];
  const fields = parseFields(six, [seconds, minute, ...calendar]);
  if ("problem" in fields) return fields;
  return { cron: [...(hasZone ? [zone] : []), ...six].join(" ") };
}

/** Explains why a text is not a valid script `cron`; undefined if it is. */
export function scriptCronProblem(text: string): string | undefined {
  return problemOf(parseScriptCron(text));
}

/** Parses the `cron` of a window: five fields of which the minute is `*` (docs/protocol/prebuilds.md §2.4). */
export function parseWindowCron(
  text: string,
): { readonly fields: CronFields } | { readonly problem: string } {
  const parsed = parseCalendar(text);
  const [minuteText = ""] = words(text);
  if ("problem" in parsed) return parsed;
  if (minuteText !== "*") {
    return {
      problem: `found the minute ${quote(minuteText)}, wanted *: a window covers whole hours`,
    };
  }
  if (everOccurs(text, parsed.fields)) return parsed;
  return {
    problem: `found ${quote(text)}, which never occurs, wanted a day that one of its months has`,
  };
}

/** Explains why a text is not a valid window `cron`; undefined if it is. */
export function windowCronProblem(text: string): string | undefined {
  return problemOf(parseWindowCron(text));
}

function problemOf(parsed: { readonly problem: string } | object): string | undefined {
  return "problem" in parsed ? parsed.problem : undefined;
}

/** The number of days in each month of a leap year. */
const daysOfMonths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** Reports whether such a day exists. Every month has all weekdays, so only days of the month can be impossible. */
function everOccurs(text: string, [, , days, monthsOfYear]: CronFields): boolean {
  if (!isAnyField(text, 4)) return true;
  return [...(monthsOfYear ?? [])].some((month) =>
    [...(days ?? [])].some((day) => day <= (daysOfMonths[month - 1] ?? 0)),
  );
}

/** Parses five fields: minute, hour, day of the month, month and day of the week. */
export function parseCalendar(
  text: string,
): { readonly fields: CronFields } | { readonly problem: string } {
  const parts = words(text);
  if (parts.length !== 5)
    return { problem: `found ${parts.length} fields in ${quote(text)}, wanted 5` };
  return parseFields(parts, [minute, ...calendar]);
}

/** Reports whether two windows can apply at the same time. Where both days are limited, either suffices, as in cron. */
export function windowsOverlap(a: string, b: string): boolean {
  const [first, second] = [parseWindowCron(a), parseWindowCron(b)];
  if ("problem" in first || "problem" in second) return false;
  const meet = (field: number) => {
    const other = second.fields[field];
    return other !== undefined && first.fields[field]?.isDisjointFrom(other) === false;
  };
  const [days, weekdays] = [2, 4];
  if (!meet(1) || !meet(3)) return false;
  if (isAnyField(a, days) && isAnyField(b, days)) return meet(weekdays);
  if (isAnyField(a, weekdays) && isAnyField(b, weekdays)) return meet(days);
  // Every day of the month eventually falls on any weekday.
  return true;
}

/** The time and date in one place. */
export interface WallClock {
  readonly hour: number;
  readonly day: number;
  /** The month, from 1. */
  readonly month: number;
  /** The day of the week, from 0 (Sunday). */
  readonly weekday: number;
}

/** Reports whether a window applies at a time. Where both days are limited, either suffices, as in cron. */
export function windowHolds(cron: string, { hour, day, month, weekday }: WallClock): boolean {
  const parsed = parseWindowCron(cron);
  if ("problem" in parsed) return false;
  const [, hours, days, monthsOfYear, weekdays] = parsed.fields;
  if (!hours?.has(hour) || !monthsOfYear?.has(month)) return false;
  const isDay = days?.has(day) ?? false;
  const isWeekday = weekdays?.has(weekday) ?? false;
  if (isAnyField(cron, 2)) return isWeekday;
  if (isAnyField(cron, 4)) return isDay;
  return isDay || isWeekday;
}

function isAnyField(cron: string, field: number): boolean {
  return ["*", "?"].includes(words(cron)[field] ?? "");
}

/** Reports whether this runtime knows a time zone of this name. */
export function isTimezone(name: string): boolean {
  try {
    const { timeZone } = Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions();
    return /^[A-Za-z]/.test(timeZone); // offsets such as +02:00 would be valid here, but agents reject them
  } catch {
    return false; // the constructor throws RangeError for an unknown name
  }
}

function parseFields(
  parts: readonly string[],
  rules: readonly FieldRule[],
): { readonly fields: CronFields } | { readonly problem: string } {
  const fields: ReadonlySet<number>[] = [];
  for (const [index, rule] of rules.entries()) {
    const part = parts[index] ?? "";
    const values = parseField(part, rule);
    if (values === undefined) {
      const names =
        rule.names === undefined ? "" : ` or ${rule.names[0] ?? ""}…${rule.names.at(-1) ?? ""}`;
      return {
        problem: `found ${quote(part)} for the ${rule.name}, wanted *, ${rule.min}…${rule.max}${names}, a-b, a,b or */n with n up to ${stepsOf(rule)}`,
      };
    }
    fields.push(values);
  }
  return { fields };
}

/** Returns the largest step, because agents accept none beyond the number of values. */
function stepsOf(rule: FieldRule): number {
  return rule.max - rule.min + 1;
}

function parseField(text: string, rule: FieldRule): ReadonlySet<number> | undefined {
  const values = new Set<number>();
  for (const item of text.split(",")) {
    const found =
      /^(\*|\?|[0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?(?:\/([0-9]{1,2}))?$/i.exec(item);
    if (found === null) return undefined;
    const [start = "", end, step] = found.slice(1);
    const isAny = start === "*" || start === "?";
    if (isAny && end !== undefined) return undefined;
    const from = isAny ? rule.min : valueOf(start, rule);
    const to =
      isAny || (end === undefined && step !== undefined) ? rule.max : valueOf(end ?? start, rule);
    const by = Number.parseInt(step ?? "1", 10);
    if (from === undefined || to === undefined || from > to || by === 0) return undefined;
    if (by > stepsOf(rule)) return undefined;
    for (let value = from; value <= to; value += by) values.add(value);
  }
  return values;
}

function valueOf(text: string, rule: FieldRule): number | undefined {
  const named = rule.names?.indexOf(text.toLowerCase()) ?? -1;
  const value = named === -1 ? Number.parseInt(text, 10) : rule.min + named;
  return value >= rule.min && value <= rule.max ? value : undefined;
}

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
