import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

import { countText, errorText, settlesWithin, systemErrorCode } from "@slipway/runtime";
import type { Account } from "@slipway/runtime/ownership";

import { DriverError } from "../errors.ts";
import { OutputLines } from "./output-lines.ts";
import { endGroup, type GroupOptions, killGroup } from "./process-group.ts";
import { guardedCommand, type RunLease } from "./run-lease.ts";
import type { RunLimits } from "./terraform-options.ts";

export interface CommandOptions extends GroupOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly directory: string;
  /** All of the environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Undefined for our own user. */
  readonly user: Account | undefined;
  /**
   * The file for the output. A file, unlike a pipe, lets the program finish and save its state if the server is killed.
   */
  readonly outputPath: string;
  /** The file for the standard output, if that is a result rather than a log. */
  readonly resultPath?: string;
  readonly limits: Pick<RunLimits, "graceMs" | "maxRunMs" | "maxQuietMs" | "maxOutputBytes">;
  /** The lease of a program that must end before another server runs it; undefined for one that changes nothing. */
  readonly lease?: Pick<RunLease, "path" | "interrupt">;
  /** Receives each line of the output; its bytes are valid until the next one. */
  readonly onLine: (line: Buffer) => void;
  /** Called when the program has printed nothing for some minutes, once until it prints again. */
  readonly onQuiet: (quietMs: number) => void;
  /** Receives the process id once there is a process. A guarded program runs when the result resolves. */
  readonly onStart: (pid: number) => Promise<void>;
}

/** The end of a program. */
export interface CommandEnd {
  /** Undefined if a signal ended it. */
  readonly code: number | undefined;
}

const pollMs = 100;
/** The time without output that is told. */
const quietMs = 120_000;
const chunkBytes = 64 * 1024;

/**
 * Runs a program in its own session and reports its output while it runs. An aborted signal, too much output, none for too
 * long and too long a time interrupt it; if it has not ended after the grace, it is killed. What is left of its process group
 * then ends too. Resolves or rejects only once it has ended. Rejects with the signal's reason, or a `DriverError`.
 */
export async function runCommand(
  options: CommandOptions,
  signal: AbortSignal,
): Promise<CommandEnd> {
  const { clock, limits } = options;
  await using output = await openOutput(options.outputPath);
  await using result =
    options.resultPath === undefined ? undefined : await openOutput(options.resultPath);
  const child = await startChild(options, { stdout: result ?? output, stderr: output });
  let excess: DriverError | undefined;
  const interrupting = new AbortController();
  const interrupt = AbortSignal.any([signal, interrupting.signal]);
  const ending = child.ended.finally(() => interrupting.abort());
  const stopping = stopWhenAborted(child, ending, options, interrupt);
  const exceed = (message: string): void => {
    excess ??= new DriverError("run-failed", message);
    interrupting.abort();
  };
  const late = new AbortController();
  clock.sleep(limits.maxRunMs, late.signal).then(
    () => exceed(`${options.args[0]} ran for more than ${limits.maxRunMs / 60_000} minutes`),
    // It ended in time.
    () => undefined,
  );
  try {
    await options.onStart(child.pid).catch((error: unknown) => {
      child.kill();
      throw error;
    });
    child.begin();
    await followOutput(output, child.ended, options, exceed);
  } finally {
    late.abort();
    await stopping;
  }
  signal.throwIfAborted();
  if (excess !== undefined) throw excess;
  return await child.ended;
}

function openOutput(path: string): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_TRUNC, O_APPEND } = constants;
  return open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0o600);
}

interface RunningChild {
  readonly pid: number;
  readonly ended: Promise<CommandEnd>;
  /** Lets a guarded program run, which waits until then. */
  readonly begin: () => void;
  readonly interrupt: () => Promise<void>;
  readonly kill: () => void;
}

async function startChild(
  { program, args, directory, environment, user, lease }: CommandOptions,
  { stdout, stderr }: { readonly stdout: FileHandle; readonly stderr: FileHandle },
): Promise<RunningChild> {
  const command =
    lease === undefined ? { program, args } : guardedCommand(lease.path, program, args);
  const child = spawn(command.program, [...command.args], {
    cwd: directory,
    env: environment,
    detached: true,
    stdio: [lease === undefined ? "ignore" : "pipe", stdout.fd, stderr.fd],
    // Setting a user also drops root's supplementary groups.
    ...user,
  });
  const started = Promise.withResolvers<number>();
  const ended = Promise.withResolvers<CommandEnd>();
  child.once("error", (error) => started.reject(error));
  child.once("spawn", () => started.resolve(child.pid ?? 0));
  child.once("exit", (code) => ended.resolve({ code: code ?? undefined }));
  // It may end before it reads.
  child.stdin?.on("error", () => undefined);
  try {
    const pid = await started.promise;
    return {
      pid,
      ended: ended.promise,
      begin: () => void child.stdin?.end("\n"),
      interrupt: lease?.interrupt ?? (async () => void child.kill("SIGINT")),
      kill: () => killGroup(pid),
    };
  } catch (error) {
    const problem = systemErrorCode(error) === "EACCES" ? notExecutable : errorText(error);
    throw new DriverError("run-failed", `cannot run ${program}: ${problem}`, { cause: error });
  }
}

const notExecutable =
  "the user of the run may not execute it; check the modes of the file and of the directories above it, or SLIPWAY_TERRAFORM_USERS";

/**
 * Interrupts the program when the signal is aborted, and kills it after the grace. Then ends what it has started and left: it
 * ends the commands of its configuration, but not what those started.
 */
async function stopWhenAborted(
  child: RunningChild,
  ending: Promise<CommandEnd>,
  { clock, limits, table }: Pick<CommandOptions, "clock" | "limits" | "table">,
  signal: AbortSignal,
): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  const endsItself = await settlesWithin(ending, 0, clock);
  if (!endsItself) {
    // Without a place for the times of its lease, it is killed after the grace.
    await child.interrupt().catch(() => undefined);
    if (!(await settlesWithin(ending, limits.graceMs, clock))) child.kill();
  }
  const { code } = await ending;
  if (!endsItself || code === undefined) await endGroup(child.pid, { table, clock });
}

async function followOutput(
  output: FileHandle,
  ended: Promise<CommandEnd>,
  options: CommandOptions,
  exceed: (message: string) => void,
): Promise<void> {
  const { onLine, clock, limits } = options;
  const quiet = new QuietWatch(options, exceed);
  const lines = new OutputLines(onLine);
  const chunk = Buffer.allocUnsafe(chunkBytes);
  let position = 0;
  for (let hasEnded = false; ;) {
    const { bytesRead } = await output.read(chunk, 0, chunkBytes, position);
    position += bytesRead;
    if (position > limits.maxOutputBytes) {
      exceed(
        `printed more than ${limits.maxOutputBytes} bytes: let the programs that it runs print less`,
      );
      // What it still prints must not fill the disk; it appends, so the file stays small.
      while (!(await settlesWithin(ended, pollMs, clock))) await output.truncate();
      return;
    }
    if (bytesRead > 0) {
      quiet.noteOutput();
      lines.add(chunk.subarray(0, bytesRead));
    } else if (hasEnded) break;
    else {
      quiet.look();
      hasEnded = await settlesWithin(ended, pollMs, clock);
    }
  }
  lines.end();
}

/** Watches how long a program has printed nothing: one whose provider hangs does so for ever. */
class QuietWatch {
  readonly #options: CommandOptions;
  readonly #exceed: (message: string) => void;
  #lastMs: number;
  #isTold = false;

  constructor(options: CommandOptions, exceed: (message: string) => void) {
    this.#options = options;
    this.#exceed = exceed;
    this.#lastMs = options.clock.monotonic();
  }

  noteOutput(): void {
    this.#lastMs = this.#options.clock.monotonic();
    this.#isTold = false;
  }

  look(): void {
    const { clock, limits, args, onQuiet } = this.#options;
    const elapsedMs = clock.monotonic() - this.#lastMs;
    if (elapsedMs >= limits.maxQuietMs) {
      const minutes = countText(Math.round(limits.maxQuietMs / 60_000), "minute");
      this.#exceed(
        `${args[0]} printed nothing for ${minutes}: see whether one of its providers hangs, or set SLIPWAY_MAX_TERRAFORM_QUIET_MINUTES to more`,
      );
    } else if (elapsedMs >= Math.min(quietMs, limits.maxQuietMs / 2) && !this.#isTold) {
      this.#isTold = true;
      onQuiet(elapsedMs);
    }
  }
}
