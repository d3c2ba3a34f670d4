import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";

import { CommandError } from "../../command/errors.ts";

interface ProgramOptions {
  readonly cwd?: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Terminates the program. */
  readonly signal: AbortSignal;
  /** The advice if the program cannot be run. */
  readonly hint: string;
}

/**
 * Runs a program with the streams of this process; resolves with its exit code, as a shell reports it. Throws
 * `CommandError` if it cannot be run.
 */
export async function runProgram(
  [program, ...words]: readonly [string, ...string[]],
  { cwd, environment, signal, hint }: ProgramOptions,
): Promise<number> {
  const child = spawn(program, words, { cwd, env: environment, stdio: "inherit" });
  const kill = (): void => void child.kill();
  signal.addEventListener("abort", kill, { once: true });
  try {
    await once(child, "exit");
  } catch (error) {
    throw new CommandError(`cannot run ${program}`, { hint, cause: error });
  } finally {
    signal.removeEventListener("abort", kill);
  }
  return exitCodeOf(child);
}

/** Returns the exit code of a program that has ended: 128 plus the number of the signal that killed it. */
export function exitCodeOf({ exitCode, signalCode }: ChildProcess): number {
  return exitCode ?? 128 + (signalCode === null ? 0 : constants.signals[signalCode]);
}
