import { durationMs } from "@slipway/runtime";

import { UsageError } from "./errors.ts";

const pattern = /^(?=.)(?:\d{1,3}y)?(?:\d{1,5}d)?(?:\d{1,6}h)?(?:\d{1,6}m)?(?:\d{1,8}s)?$/;

/** Parses `30d`, `1h30m` or `0` into milliseconds. Throws `UsageError` that names the flag or argument. */
export function readDuration(name: string, text: string): number {
  if (text === "0" || pattern.test(text)) return durationMs(text);
  throw new UsageError(`${name} "${text}" is not a duration, wanted one such as 8h, 30d or 1h30m`);
}
