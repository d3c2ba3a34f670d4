import type { PreparedCommand } from "../process/spawn-group.ts";
import { sttyCalls } from "./terminal-modes.ts";

/**
 * Returns the command that makes the client's settings on its terminal, names it in `SSH_TTY` and becomes `command`: only
 * inside is the name known, and can the settings be made before the command sees the terminal.
 */
export function terminalCommand(
  command: PreparedCommand,
  modes: ReadonlyMap<string, number>,
): PreparedCommand {
  const settings = sttyCalls(modes).map(
    (args) => `stty ${args.map((arg) => quoteForShell(arg)).join(" ")} 2>/dev/null`,
  );
  const script = ["SSH_TTY=$(tty) && export SSH_TTY", ...settings, 'exec "$@"'].join("; ");
  return { ...command, file: "/bin/sh", args: ["-c", script, "sh", command.file, ...command.args] };
}

function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
