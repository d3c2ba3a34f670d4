/** The days of a week in the order of cron, which begins with Sunday. */
export const dayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
export type DayName = (typeof dayNames)[number];

/** The days with their names, as most of the world begins a week. */
export const dayLabels: readonly (readonly [DayName, string])[] = [
  ["mon", "Mon"],
  ["tue", "Tue"],
  ["wed", "Wed"],
  ["thu", "Thu"],
  ["fri", "Fri"],
  ["sat", "Sat"],
  ["sun", "Sun"],
];

/** An automatic start: at a time on some days of the week. */
export interface WeeklySchedule {
  /** `09:30` */
  readonly time: string;
  readonly days: readonly DayName[];
  /** An IANA time zone. */
  readonly zone: string;
}

/** Reads a schedule of the server; undefined for one that is not a time on days of the week. */
export function parseSchedule(cron: string): WeeklySchedule | undefined {
  const found = /^(?:(?:CRON_)?TZ=(\S+) )?(\d{1,2}) (\d{1,2}) \* \* (\S+)$/.exec(cron);
  if (found === null) return undefined;
  const [zone = "UTC", minute = "", hour = "", field = "*"] = found.slice(1);
  const days = parseDays(field.toLowerCase());
  if (days === undefined) return undefined;
  return { time: `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`, days, zone };
}

/** Returns a schedule in the form of the server. */
export function encodeSchedule({ time, days, zone }: WeeklySchedule): string {
  const [hour = "0", minute = "0"] = time.split(":").map(Number).map(String);
  const field = days.length === dayNames.length ? "*" : days.join(",");
  return `CRON_TZ=${zone} ${minute} ${hour} * * ${field}`;
}

function parseDays(field: string): readonly DayName[] | undefined {
  if (field === "*") return dayNames;
  const found = new Set<DayName>();
  for (const part of field.split(",")) {
    const ends = part.split("-").map(dayIndex);
    const from = ends[0];
    const to = ends.at(-1);
    if (from === undefined || to === undefined || from > to || ends.length > 2) return undefined;
    for (let day = from; day <= to; day += 1) found.add(dayNames[day % 7] ?? "sun");
  }
  return dayNames.filter((day) => found.has(day));
}

/** Returns the place of a day, with 7 for a Sunday that ends a range. */
function dayIndex(text: string): number | undefined {
  if (/^[0-7]$/.test(text)) return Number(text);
  const index = dayNames.findIndex((name) => name === text);
  return index < 0 ? undefined : index;
}
