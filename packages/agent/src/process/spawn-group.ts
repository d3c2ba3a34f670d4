import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";

import { ProcessError } from "./errors.ts";
import type { InputPipe } from "./input-pipe.ts";
import type { OutputPipe, OutputPipes } from "./output-pipes.ts";
import { childStdio } from "./private-descriptors.ts";

/** A program with its arguments, directory and environment. */
export interface PreparedCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Another user to run as (default: the agent's). */
  readonly identity?: { readonly uid: number; readonly gid: number };
}

/** The exit of a group's leader. */
export type Exit =
  | { readonly kind: "exited"; readonly exitCode: number }
  | { readonly kind: "signalled"; readonly signal: string };

/** A process that leads its own session and group. */
export interface SpawnedGroup {
  readonly pid: number;
  readonly exit: Promise<Exit>;
  /** Undefined without input. The error of a reader that has gone is ignored unless there is a listener. */
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  /** The same as `stdout` when both go into one pipe. */
  readonly stderr: Readable;
}

export interface SpawnOptions {
  readonly pipes: OutputPipes;
  /** True to join stdout and stderr in one pipe, which keeps their order. */
  readonly joinOutput: boolean;
  /** True if the command reads from us (default: it has no input). */
  readonly hasInput?: boolean;
}

/** Starts the command in a new session, without a terminal. Throws `ProcessError` "spawn-failed". */
export async function spawnGroup(
  command: PreparedCommand,
  { pipes, joinOutput, hasInput = false }: SpawnOptions,
): Promise<SpawnedGroup> {
  const opened = await openPipes(pipes, joinOutput ? 1 : 2);
  const [first, second = first] = opened;
  const input = hasInput ? await openInput(pipes) : undefined;
  try {
    const child = spawn(command.file, command.args, {
      cwd: command.cwd,
      env: command.environment,
      ...command.identity,
      detached: true,
      stdio: childStdio([
        hasInput ? (input?.readFd ?? "pipe") : "ignore",
        first?.writeFd ?? "pipe",
        second?.writeFd ?? "pipe",
      ]),
    });
    const exit = exitOf(child);
    if (child.pid === undefined) {
      const [error] = await once(child, "error");
      throw error;
    }
    const stdout = first?.reader ?? child.stdout;
    const stderr = second?.reader ?? child.stderr;
    if (stdout === null || stderr === null) throw new Error("the child has no output");
    const stdin = input?.writer ?? child.stdin ?? undefined;
    stdin?.on("error", () => undefined);
    if (input !== undefined) void exit.then(() => input.release());
    return { pid: child.pid, exit, stdin, stdout, stderr };
  } catch (error) {
    input?.writer.destroy();
    input?.release();
    for (const { reader } of opened) reader.destroy();
    throw new ProcessError("spawn-failed", `cannot start ${command.file}`, { cause: error });
  } finally {
    for (const pipe of opened) pipe.closeWriteEnd();
    input?.closeReadEnd();
  }
}

/** Opens pipes; none if FIFOs cannot be created, as on a full disk: sockets are better than no command. */
async function openPipes(pipes: OutputPipes, count: number): Promise<OutputPipe[]> {
  try {
    return await pipes.open(count);
  } catch {
    return [];
  }
}

async function openInput(pipes: OutputPipes): Promise<InputPipe | undefined> {
  try {
    return await pipes.openInput();
  } catch {
    return undefined;
  }
}

/** Resolves when the child has ended. */
export function exitOf(child: ChildProcess): Promise<Exit> {
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
