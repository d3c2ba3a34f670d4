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
  return output.replace(/[\r\n]+$/, "").split(/\r*\n/);
}
