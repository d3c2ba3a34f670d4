import { UsageError } from "../../command/errors.ts";

const unitMs = { d: 86_400_000, h: 3_600_000, m: 60_000 } as const;

/** Reads `1h30m`, `8h` or `2d` as milliseconds. Throws `UsageError`. */
export function readDuration(text: string): number {
  const found = /^(?=\d)(?:(\d{1,3})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?$/.exec(text);
  if (found === null) throw new UsageError(`wanted a time such as 8h or 1h30m, found "${text}"`);
  const [days = "0", hours = "0", minutes = "0"] = found.slice(1);
  return Number(days) * unitMs.d + Number(hours) * unitMs.h + Number(minutes) * unitMs.m;
}

/** Writes milliseconds the way `readDuration` reads them: `1h30m`. */
export function durationText(ms: number): string {
  const days = Math.floor(ms / unitMs.d);
  const hours = Math.floor((ms % unitMs.d) / unitMs.h);
  const minutes = Math.floor((ms % unitMs.h) / unitMs.m);
  const parts = [
    days > 0 ? `${days}d` : "",
    hours > 0 ? `${hours}h` : "",
    minutes > 0 ? `${minutes}m` : "",
  ];
  return parts.join("") || "0m";
}
