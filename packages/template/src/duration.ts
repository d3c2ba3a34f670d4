import { durationMs } from "@slipway/runtime";

/** The spelling of a duration in `slipway.yaml`, as a regular expression for editors. */
export const durationPattern = "^(?=\\d)(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?$";

const spelling = new RegExp(durationPattern);
const maxLength = 32;

/** Parses `45s`, `5m`, `1h30m` or `2d` as seconds; undefined for anything else, including fractions of a second. */
export function parseDuration(text: string): number | undefined {
  return text.length <= maxLength && spelling.test(text) ? durationMs(text) / 1_000 : undefined;
}
