import { UsageError } from "./errors.ts";

const unitMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const;
const yearDays = 365;

const pattern =
  /^(?=.)(?:(\d{1,3})y)?(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s)?$/;

/** Parses `30d`, `1h30m` or `0` into milliseconds. Throws `UsageError` that names the flag or argument. */
export function readDuration(name: string, text: string): number {
  if (text === "0") return 0;
  const found = pattern.exec(text);
  if (found === null) {
    throw new UsageError(
      `${name} "${text}" is not a duration, wanted one such as 8h, 30d or 1h30m`,
    );
  }
  const [years = "0", days = "0", hours = "0", minutes = "0", seconds = "0"] = found.slice(1);
  return (
    (Number(years) * yearDays + Number(days)) * unitMs.d +
    Number(hours) * unitMs.h +
    Number(minutes) * unitMs.m +
    Number(seconds) * unitMs.s
  );
}

/** Formats milliseconds as `readDuration` reads them, to the second: `1h30m`. */
export function durationText(ms: number): string {
  let left = Math.floor(ms / unitMs.s) * unitMs.s;
  let text = "";
  for (const [unit, size] of Object.entries(unitMs)) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === "" ? "0s" : text;
}
