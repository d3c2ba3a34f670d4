import { durationMs } from "@slipway/runtime";

import { UsageError } from "../../command/errors.ts";

const pattern = /^(?:\d{1,6}(?:\.\d{1,3})?)(?:ms|s|m)$/;

/** Reads `500ms`, `1.5s` or `2m` into milliseconds, more than 0. Throws `UsageError` that names the flag. */
export function readShortDuration(flag: string, text: string): number {
  const ms = pattern.test(text) ? durationMs(text) : undefined;
  if (ms !== undefined && ms > 0) return ms;
  const problem = ms === 0 ? "is no time at all" : "is not a duration";
  throw new UsageError(`${flag} "${text}" ${problem}, wanted one such as 5s, 500ms or 1m`);
}
