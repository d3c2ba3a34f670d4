import { constants } from "node:os";

import type { CommandResult, RunCommandOptions } from "@computesdk/provider";
import type { RunResult, Workspace } from "@slipway/sdk";

/** The exit code of a command that its time limit ended, as that of `timeout`. */
const timedOutCode = 124;

/**
 * Runs a command in the user's shell and collects its output, which the callbacks are given as it comes. With `background`,
 * returns once it has started; it is not ended with its caller in either case.
 */
export async function runCommand(
  workspace: Workspace,
  command: string,
  options: RunCommandOptions = {},
): Promise<CommandResult> {
  const { cwd, env, timeout, background = false, onStdout, onStderr } = options;
  const startedMs = performance.now();
  const run = workspace.run(command, {
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(onStdout === undefined ? {} : { onStdout: (text) => onStdout(text) }),
    ...(onStderr === undefined ? {} : { onStderr: (text) => onStderr(text) }),
  });
  if (background) await run.started();
  const { stdout, stderr, exitCode } = background ? nothing : resultOf(await run);
  return { stdout, stderr, exitCode, durationMs: Math.round(performance.now() - startedMs) };
}

type Outcome = Omit<CommandResult, "durationMs">;

const nothing: Outcome = { stdout: "", stderr: "", exitCode: 0 };

/** Returns an exit code for every end, as shells do: 128 and the number of a signal. */
function resultOf({ stdout, stderr, exitCode, signal, timedOut }: RunResult): Outcome {
  if (timedOut) return { stdout, stderr, exitCode: timedOutCode };
  const numbers: Readonly<Record<string, number>> = constants.signals;
  return { stdout, stderr, exitCode: exitCode ?? 128 + (numbers[signal ?? ""] ?? 0) };
}
