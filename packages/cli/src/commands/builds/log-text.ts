import type { AgentLog, JobLog, LogLevel } from "@slipway/api";

import type { Colors } from "../../terminal/colors.ts";

/** Sets a line of output off by how bad it is; what is usual stays in the background. */
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
 * The lines of a log entry, mostly one, without the end of line that some programs leave on it. Each is printed with
 * where it comes from, so that no output can pass for a line of another source.
 */
export function linesOf({ output }: Pick<JobLog | AgentLog, "output">): string[] {
  return withoutEnd(output, "\r\n")
    .split("\n")
    .map((line) => withoutEnd(line, "\r"));
}

/** Cuts off all of the characters that stand at the end; a regular expression takes time by the square of their number. */
function withoutEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
