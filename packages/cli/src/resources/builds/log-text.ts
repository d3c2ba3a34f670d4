import type { AgentLog } from "@slipway/api/agents/log-routes";
import type { JobLog, LogLevel } from "@slipway/api/jobs/job";

import type { Colors } from "../../terminal/colors.ts";

/** Styles a line of output by its level; ordinary levels stay in the background. */
export function levelText(text: string, level: LogLevel, colors: Colors): string {
  switch (level) {
    case "error":
      return colors.red(text);
    case "warn":
      return colors.yellow(text);
    case "trace":
    case "debug":
    case "info":
      return colors.dim(text);
  }
}

/**
 * Splits a log entry into lines, usually one, without the line ending that some programs leave on it. Each is printed
 * with its source, so that no output can pass for a line of another source.
 */
export function linesOf({ output }: Pick<JobLog | AgentLog, "output">): string[] {
  return withoutEnd(output, "\r\n")
    .split("\n")
    .map((line) => withoutEnd(line, "\r"));
}

/** Removes all of the characters at the end; a regular expression would take quadratic time. */
function withoutEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
