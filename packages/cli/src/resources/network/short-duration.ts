import { durationMs } from "@slipway/runtime";

import { durationError } from "../../command/duration.ts";
import { UsageError } from "../../command/errors.ts";

const pattern = /^(?:\d{1,6}(?:\.\d{1,3})?)(?:ms|s|m)$/;

/** The longest time that a flag may name; a larger one is a mistake. */
const longestMinutes = 24 * 60;

/**
 * Reads `500ms`, `1.5s` or `2m` into milliseconds, more than 0 and at most `maxMinutes`. Throws `UsageError` that names
 * the flag.
 */
export function readShortDuration(
  flag: string,
  text: string,
  { maxMinutes = longestMinutes }: { readonly maxMinutes?: number } = {},
): number {
  const ms = pattern.test(text) ? durationMs(text) : undefined;
  if (ms !== undefined && ms > maxMinutes * 60_000) {
    throw new UsageError(`${flag} "${text}" is too long, wanted at most ${maxMinutes}m`);
  }
  if (ms !== undefined && ms > 0) return ms;
  const problem = ms === 0 ? "is no time at all" : "is not a duration";
  throw durationError(flag, text, problem, "short");
}
