import { readDuration } from "../../command/duration.ts";
import { UsageError } from "../../command/errors.ts";
import type { LogLine } from "./log-line.ts";

/** A selection of the existing lines. */
export interface LineSelection {
  /** Milliseconds since the epoch; undefined: from the beginning. */
  readonly sinceMs: number | undefined;
  /** The number of last lines; undefined for all. */
  readonly tail: number | undefined;
}

/** Reads `--since` and `--tail`. `now` is in milliseconds since the epoch. Throws `UsageError`. */
export function readSelection(
  { since, tail }: { readonly since: string | undefined; readonly tail: number | undefined },
  now: number,
): LineSelection {
  if (tail !== undefined && tail < 0) {
    throw new UsageError(`--tail "${tail}" is not a number of lines, wanted 0 or more`);
  }
  return { sinceMs: since === undefined ? undefined : readSince(since, now), tail };
}

/** Returns the selected lines, of lines in the order of their time. */
export function selectLines(
  lines: readonly LogLine[],
  { sinceMs, tail }: LineSelection,
): readonly LogLine[] {
  const newer =
    sinceMs === undefined
      ? lines
      : lines.filter(({ entry }) => Date.parse(entry.created_at) >= sinceMs);
  return tail === undefined ? newer : newer.slice(Math.max(0, newer.length - tail));
}

function readSince(text: string, now: number): number {
  if (!/^\d{4}-\d{2}-\d{2}/.test(text)) return now - readDuration("--since", text);
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw new UsageError(`--since "${text}" is not a time, wanted one such as 2026-01-31T09:00:00Z`);
}
