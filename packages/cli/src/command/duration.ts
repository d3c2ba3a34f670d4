import { durationMs } from "@slipway/runtime";

import { UsageError } from "./errors.ts";

const pattern = /^(?=.)(?:\d{1,3}y)?(?:\d{1,5}d)?(?:\d{1,6}h)?(?:\d{1,6}m)?(?:\d{1,8}s)?$/;

/** Examples of the durations that a command accepts: days and hours, and those of a network. */
const examples = { long: "8h, 30d or 1h30m", short: "500ms, 5s or 1m" } as const;

/** Parses `30d`, `1h30m` or `0` into milliseconds. Throws a `UsageError` that names the flag or argument. */
export function readDuration(name: string, text: string): number {
  if (text === "0" || pattern.test(text)) return durationMs(text);
  throw durationError(name, text, "is not a duration", "long");
}

const shortPattern = /^(?:\d{1,6}(?:\.\d{1,3})?)(?:ms|s|m)$/;

/** The maximum time that a flag may specify; a larger one is a mistake. */
const longestMinutes = 24 * 60;

/**
 * Reads `500ms`, `1.5s` or `2m` into milliseconds, more than 0 and at most `maxMinutes`. Throws a `UsageError` that
 * names the flag.
 */
export function readShortDuration(
  flag: string,
  text: string,
  { maxMinutes = longestMinutes }: { readonly maxMinutes?: number } = {},
): number {
  const ms = shortPattern.test(text) ? durationMs(text) : undefined;
  if (ms !== undefined && ms > maxMinutes * 60_000) {
    throw new UsageError(`${flag} "${text}" is too long, wanted at most ${maxMinutes}m`);
  }
  if (ms !== undefined && ms > 0) return ms;
  const problem = ms === 0 ? "is no time at all" : "is not a duration";
  throw durationError(flag, text, problem, "short");
}

/** Returns the error for a duration that a command does not accept, with a valid example. */
export function durationError(
  name: string,
  text: string,
  problem: string,
  kind: keyof typeof examples,
): UsageError {
  return new UsageError(`${name} "${text}" ${problem}: write ${examples[kind]}`);
}
