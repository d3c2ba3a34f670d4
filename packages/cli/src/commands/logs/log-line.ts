import type { AgentLog } from "@slipway/api/agents/log-routes";
import type { JobLog } from "@slipway/api/jobs/job";
import { printableJson, printableLine } from "@slipway/runtime";

import { readDuration } from "../../command/duration.ts";
import { UsageError } from "../../command/errors.ts";
import { levelText, linesOf } from "../../resources/builds/log-text.ts";
import type { Colors } from "../../terminal/colors.ts";

/** A line of one of the logs, and its source. */
export type LogLine =
  | { readonly kind: "build"; readonly entry: JobLog }
  | {
      readonly kind: "agent";
      readonly agent: string;
      readonly source: string;
      readonly entry: AgentLog;
    };

/** Sorts lines of several logs by time; lines of one log keep their order. */
export function byTime(lines: readonly LogLine[]): LogLine[] {
  return lines.toSorted((a, b) => Date.parse(a.entry.created_at) - Date.parse(b.entry.created_at));
}

/** Returns lines of text, each with its source; none if there is no text. */
export function textOf(line: LogLine, colors: Colors): string[] {
  if (line.kind === "agent") {
    const prefix = colors.cyan(`[${printableLine(line.source)}]`);
    return plain(line.entry, line.entry.level, colors).map((text) => `${prefix} ${text}`);
  }
  const { entry } = line;
  const isHeadline = entry.output === "";
  if (isHeadline && entry.stage === "") return [];
  const texts = isHeadline
    ? [colors.bold(printableLine(entry.stage))]
    : plain(entry, entry.log_level, colors);
  return texts.map((text) => `${colors.cyan("[build]")} ${text}`);
}

/** Returns the line as JSON: the entry as the server sent it, and its source. */
export function jsonOf(line: LogLine): string {
  const from =
    line.kind === "build" ? { source: "build" } : { source: line.source, agent: line.agent };
  return printableJson(JSON.stringify({ ...from, ...line.entry }));
}

function plain(entry: JobLog | AgentLog, level: AgentLog["level"], colors: Colors): string[] {
  const isSetOff = level === "warn" || level === "error";
  return linesOf(entry).map((text) => (isSetOff ? levelText(text, level, colors) : text));
}

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
