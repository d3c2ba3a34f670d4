import { spawn } from "node:child_process";
import { chownSync, closeSync } from "node:fs";
import { constants } from "node:os";

import { childStdio } from "../process/private-descriptors.ts";
import { type Exit, exitOf, type PreparedCommand } from "../process/spawn-group.ts";
import type { LoadedPty } from "./native-pty.ts";
import type { TerminalSize } from "./terminal-size.ts";

/** A command with a terminal, of which `fd` is our end. */
export interface StartedCommand {
  readonly fd: number;
  readonly pid: number;
  readonly exit: Promise<Exit>;
}

/** Opens the terminal by name, which makes it the controlling terminal of the shell's session, and becomes the command. */
const takeTerminal = 'exec 0<>"$0" 1>&0 2>&0; exec "$@"';

/** Starts a command on a new terminal, in its own session. Throws the system's error. */
export function startOnTerminal(
  command: PreparedCommand,
  size: TerminalSize,
  pty: LoadedPty,
): StartedCommand {
  // The native fork passes the agent's other terminals to the child; `childStdio` does not.
  return process.platform === "linux"
    ? startByShell(command, size, pty)
    : startByFork(command, size, pty);
}

function startByShell(
  { file, args, cwd, environment, identity }: PreparedCommand,
  { columns, rows }: TerminalSize,
  { native }: LoadedPty,
): StartedCommand {
  const { master, slave, pty } = native.open(columns, rows);
  try {
    // The command opens its terminal by name.
    if (identity !== undefined) chownSync(pty, identity.uid, identity.gid);
    const child = spawn("/bin/sh", ["-c", takeTerminal, pty, file, ...args], {
      cwd,
      env: environment,
      ...identity,
      detached: true,
      stdio: childStdio([slave, slave, slave], [master, slave]),
    });
    // Without a process id it never started.
    child.on("error", () => undefined);
    if (child.pid === undefined) throw new Error("cannot start the shell");
    return { fd: master, pid: child.pid, exit: exitOf(child) };
  } catch (error) {
    closeSync(master);
    throw error;
  } finally {
    closeSync(slave);
  }
}

function startByFork(
  { file, args, cwd, environment }: PreparedCommand,
  { columns, rows }: TerminalSize,
  { native, helperPath }: LoadedPty,
): StartedCommand {
  const exit = Promise.withResolvers<Exit>();
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const onExit = (code: number, signal: number): void => exit.resolve(forkedExit(code, signal));
  const { fd, pid } = native.fork(
    file,
    args,
    variables,
    cwd,
    columns,
    rows,
    -1,
    -1,
    false,
    helperPath,
    onExit,
  );
  return { fd, pid, exit: exit.promise };
}

function forkedExit(exitCode: number, signal: number): Exit {
  if (signal === 0) return { kind: "exited", exitCode };
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
  return { kind: "signalled", signal: name ?? "unknown" };
}
