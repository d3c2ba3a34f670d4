import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";

import { ProcessError } from "./errors.ts";
import type { OutputPipe, OutputPipes } from "./output-pipes.ts";

/** A program with everything it starts with. */
export interface PreparedCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** The exit of a group's leader. */
export type Exit =
  | { readonly kind: "exited"; readonly exitCode: number }
  | { readonly kind: "signalled"; readonly signal: string };

/** A process that leads its own session and group. */
export interface SpawnedGroup {
  readonly pid: number;
  readonly exit: Promise<Exit>;
  readonly stdout: Readable;
  /** The same as `stdout` when both go into one pipe. */
  readonly stderr: Readable;
}

export interface SpawnOptions {
  readonly pipes: OutputPipes;
  /** One pipe for stdout and stderr together, which keeps their order. */
  readonly joinOutput: boolean;
}

/** Starts the command in a new session, without input or terminal. Throws `ProcessError` "spawn-failed". */
export async function spawnGroup(
  command: PreparedCommand,
  { pipes, joinOutput }: SpawnOptions,
): Promise<SpawnedGroup> {
  const opened = await openPipes(pipes, joinOutput ? 1 : 2);
  const [first, second = first] = opened;
  try {
    const child = spawn(command.file, command.args, {
      cwd: command.cwd,
      env: command.environment,
      detached: true,
      stdio: ["ignore", first?.writeFd ?? "pipe", second?.writeFd ?? "pipe"],
    });
    const exit = exitOf(child);
    if (child.pid === undefined) {
      const [error] = await once(child, "error");
      throw error;
    }
    const stdout = first?.reader ?? child.stdout;
    const stderr = second?.reader ?? child.stderr;
    if (stdout === null || stderr === null) throw new Error("the child has no output");
    return { pid: child.pid, exit, stdout, stderr };
  } catch (error) {
    for (const { reader } of opened) reader.destroy();
    throw new ProcessError("spawn-failed", `cannot start ${command.file}`, { cause: error });
  } finally {
    for (const pipe of opened) pipe.closeWriteEnd();
  }
}

/** Opens pipes; undefined when FIFOs cannot be made, as on a full disk: sockets are better than no command. */
async function openPipes(pipes: OutputPipes, count: number): Promise<OutputPipe[]> {
  try {
    return await pipes.open(count);
  } catch {
    return [];
  }
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once("exit", (exitCode, signal) => {
      resolve(
        exitCode === null
          ? { kind: "signalled", signal: signal ?? "unknown" }
          : { kind: "exited", exitCode },
      );
    });
  });
}
