import { UsageError } from "../../command/errors.ts";

const unitMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const;

/** Milliseconds of `2h`, `1h30m` or `0`. Throws `UsageError` that names the flag. */
export function readDuration(flag: string, text: string): number {
  if (text === "0") return 0;
  const match = /^(?:(\d{1,5})d)?(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?$/.exec(text);
  if (match === null || text === "") {
    throw new UsageError(`${flag} "${text}" is no duration, wanted one like 2h, 1h30m or 0`);
  }
  const [, days = "0", hours = "0", minutes = "0", seconds = "0"] = match;
  return (
    Number(days) * unitMs.d +
    Number(hours) * unitMs.h +
    Number(minutes) * unitMs.m +
    Number(seconds) * unitMs.s
  );
}
