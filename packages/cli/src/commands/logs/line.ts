import type { AgentLog, JobLog } from "@slipway/api";

import type { Colors } from "../../terminal/colors.ts";
import { levelText, lineOf } from "../builds/log-text.ts";

/** A line of one of the logs, and where it comes from. */
export type LogLine =
  | { readonly kind: "build"; readonly entry: JobLog }
  | {
      readonly kind: "agent";
      readonly agent: string;
      readonly source: string;
      readonly entry: AgentLog;
    };

/** Lines of several logs by their time; lines of one log keep their order. */
export function byTime(lines: readonly LogLine[]): LogLine[] {
  return lines.toSorted((a, b) => Date.parse(a.entry.created_at) - Date.parse(b.entry.created_at));
}

/** The line for people; undefined where there is nothing to read. */
export function textOf(line: LogLine, colors: Colors): string | undefined {
  if (line.kind === "agent")
    return `${colors.cyan(`[${line.source}]`)} ${plain(line.entry, line.entry.level, colors)}`;
  const { entry } = line;
  const isHeadline = entry.output === "";
  if (isHeadline && entry.stage === "") return undefined;
  const text = isHeadline ? colors.bold(entry.stage) : plain(entry, entry.log_level, colors);
  return `${colors.cyan("[build]")} ${text}`;
}

/** The line for programs: the entry as the server sent it, and where it comes from. */
export function jsonOf(line: LogLine): string {
  if (line.kind === "build") return JSON.stringify({ source: "build", ...line.entry });
  return JSON.stringify({ source: line.source, agent: line.agent, ...line.entry });
}

function plain(entry: JobLog | AgentLog, level: AgentLog["level"], colors: Colors): string {
  const text = lineOf(entry);
  return level === "warn" || level === "error" ? levelText(text, level, colors) : text;
}
