/** The spelling of a duration in `slipway.yaml`, as a regular expression for editors. */
export const durationPattern = "^(?=\\d)(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?$";

/** Reads `45s`, `5m`, `1h30m` or `2d` as seconds; undefined for anything else, also for fractions of a second. */
export function parseDuration(text: string): number | undefined {
  const found = spelling.exec(text);
  if (found === null || text.length > maxLength) return undefined;
  const [days, hours, minutes, seconds] = found
    .slice(1)
    .map((part) => Number.parseInt(part ?? "0", 10));
  return (days ?? 0) * 86_400 + (hours ?? 0) * 3_600 + (minutes ?? 0) * 60 + (seconds ?? 0);
}

/** Writes seconds in the form that `parseDuration` reads. */
export function durationText(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ] as const;
  const text = parts.map(([count, unit]) => (count === 0 ? "" : `${count}${unit}`)).join("");
  return text === "" ? "0s" : text;
}

const spelling = /^(?=\d)(\d+d)?(\d+h)?(\d+m)?(\d+s)?$/;
const maxLength = 32;
