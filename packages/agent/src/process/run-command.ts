import type { Readable } from "node:stream";

import { type Clock, settlesWithin, whenAborted } from "@slipway/runtime";

import { ProcessError } from "./errors.ts";
import type { OutputPipes } from "./output-pipes.ts";
import { type ProcessGroups, signalGroup } from "./process-groups.ts";
import { spawnGroup, type Exit, type PreparedCommand, type SpawnedGroup } from "./spawn-group.ts";

/** The outcome of a run (docs/protocol/agent.md §4.3). */
export type RunOutcome =
  | Exit
  | { readonly kind: "timed-out" }
  /** It exited with 0, but a process that it started kept its output open. */
  | { readonly kind: "pipes-left-open" }
  /** The signal asked it to end. */
  | { readonly kind: "stopped" }
  | { readonly kind: "not-started"; readonly error: ProcessError };

/** The resources that all commands of an agent share. */
export interface CommandHost {
  readonly clock: Clock;
  readonly groups: ProcessGroups;
  readonly pipes: OutputPipes;
}

export interface RunOptions {
  readonly timeoutMs: number | undefined;
  /** The time from SIGHUP to SIGKILL after the timeout; 0 kills immediately. */
  readonly timeoutGraceMs: number;
  /** The time from SIGHUP to SIGKILL after the signal. */
  readonly stopGraceMs: number;
  readonly joinOutput: boolean;
  readonly onOutput: OutputHandler;
  readonly signal: AbortSignal;
}

export type OutputStream = "stdout" | "stderr";

/**
 * Receives output, in order per stream. Nothing more is read until it resolves. Once `cut` is aborted, the output is
 * no longer awaited, and it must resolve soon.
 */
export type OutputHandler = (
  stream: OutputStream,
  chunk: Buffer,
  cut: AbortSignal,
) => Promise<void>;

/** The time for which background processes may keep the output open after the command itself has ended. */
export const pipesGraceMs = 10_000;
/** The same once the run was told to end: the pipes are only drained. */
const cutGraceMs = 500;

/** Runs a command to its end, and kills its whole group if it must be killed. Does not reject if the command fails. */
export async function runCommand(
  command: PreparedCommand,
  host: CommandHost,
  options: RunOptions,
): Promise<RunOutcome> {
  if (options.signal.aborted) return { kind: "stopped" };
  let group: SpawnedGroup;
  try {
    group = await spawnGroup(command, { pipes: host.pipes, joinOutput: options.joinOutput });
  } catch (error) {
    if (error instanceof ProcessError) return { kind: "not-started", error };
    throw error;
  }
  host.groups.started(group.pid);
  const cut = new AbortController();
  const output = readOutput(group, options.onOutput, cut.signal);
  const { exit, endedBy } = await waitForExit(group, host.clock, options);
  host.groups.leaderEnded(group.pid);

  const isComplete = await settlesWithin(
    output,
    endedBy === undefined ? pipesGraceMs : cutGraceMs,
    host.clock,
    options.signal,
  );
  cut.abort();
  group.stdout.destroy();
  group.stderr.destroy();
  await output;
  if (endedBy !== undefined) return { kind: endedBy };
  const isClean = exit.kind === "exited" && exit.exitCode === 0;
  return isClean && !isComplete ? { kind: "pipes-left-open" } : exit;
}

type KillReason = "timed-out" | "stopped";

/** Waits for the leader, and kills its group at the timeout or the signal. */
async function waitForExit(
  group: SpawnedGroup,
  clock: Clock,
  options: RunOptions,
): Promise<{ readonly exit: Exit; readonly endedBy: KillReason | undefined }> {
  const exited = new AbortController();
  const reason = await Promise.race([
    group.exit.then(() => undefined),
    whenAborted(AbortSignal.any([options.signal, exited.signal])).then((): KillReason => "stopped"),
    elapsed(options.timeoutMs, clock, exited.signal).then((): KillReason => "timed-out"),
  ]);
  exited.abort();
  if (reason !== undefined) {
    const graceMs = reason === "timed-out" ? options.timeoutGraceMs : options.stopGraceMs;
    if (graceMs > 0) {
      signalGroup(group.pid, "SIGHUP");
      await settlesWithin(group.exit, graceMs, clock);
    }
    signalGroup(group.pid, "SIGKILL");
  }
  return { exit: await group.exit, endedBy: reason };
}

/** Resolves after `ms`; never if that is undefined, or once the signal is aborted. */
async function elapsed(ms: number | undefined, clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    if (ms !== undefined) return await clock.sleep(ms, signal);
  } catch {
    // Aborted: nothing waits any longer.
  }
  return new Promise(() => undefined);
}

async function readOutput(
  group: SpawnedGroup,
  take: OutputHandler,
  cut: AbortSignal,
): Promise<void> {
  await Promise.all([
    readStream(group.stdout, (chunk) => take("stdout", chunk, cut)),
    // One pipe for both has one reader.
    group.stdout === group.stderr
      ? undefined
      : readStream(group.stderr, (chunk) => take("stderr", chunk, cut)),
  ]);
}

async function readStream(stream: Readable, take: (chunk: Buffer) => Promise<void>): Promise<void> {
  try {
    for await (const chunk of stream) await take(Buffer.from(chunk));
  } catch (error) {
    // A destroyed stream yields nothing more.
    if (!stream.destroyed) throw error;
  }
}
