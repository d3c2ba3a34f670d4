import { durationMs } from "@slipway/runtime";

import { UsageError } from "./errors.ts";

const pattern = /^(?=.)(?:\d{1,3}y)?(?:\d{1,5}d)?(?:\d{1,6}h)?(?:\d{1,6}m)?(?:\d{1,8}s)?$/;

/** Examples of the durations that a command takes: those of days and hours, and those of a network. */
const examples = { long: "8h, 30d or 1h30m", short: "500ms, 5s or 1m" } as const;

/** Parses `30d`, `1h30m` or `0` into milliseconds. Throws `UsageError` that names the flag or argument. */
export function readDuration(name: string, text: string): number {
  if (text === "0" || pattern.test(text)) return durationMs(text);
  throw durationError(name, text, "is not a duration", "long");
}

/** Returns the error of a duration that a command does not take, with what to write instead. */
export function durationError(
  name: string,
  text: string,
  problem: string,
  kind: keyof typeof examples,
): UsageError {
  return new UsageError(`${name} "${text}" ${problem}: write ${examples[kind]}`);
}
