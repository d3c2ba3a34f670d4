import type { Readable } from "node:stream";

import { type Clock, settlesWithin } from "@slipway/runtime";
import type { OutputStream } from "@slipway/wire/services/run-frames";

import type { CommandHost } from "../process/run-command.ts";
import { type Exit, type PreparedCommand, spawnGroup } from "../process/spawn-group.ts";
import type { TerminalSize } from "../terminal/terminal-size.ts";
import { givePipe, RunInput } from "./run-input.ts";

/** The time for which background processes may keep the output open after the command itself has ended. */
const pipesGraceMs = 1_000;

/** Takes output, in order. Nothing more is read until a returned promise resolves. */
export type TakeOutput = (stream: OutputStream, bytes: Uint8Array) => Promise<void> | undefined;

/** A process that was started for a run. */
export interface StartedProcess {
  /** The process that leads the group. */
  readonly pid: number;
  /** Undefined without input. */
  readonly input: RunInput | undefined;
  /** Reads all output; resolves to the exit once both are over. Call it once. */
  readonly read: (take: TakeOutput) => Promise<Exit>;
  /** Undefined without a terminal. */
  readonly resize: ((size: TerminalSize) => void) | undefined;
}

export interface StartOptions {
  readonly host: CommandHost;
  readonly hasInput: boolean;
  /** The size of the terminal; undefined for pipes. */
  readonly terminal: TerminalSize | undefined;
}

/** Starts the command in a new session. Rejects with `ProcessError` "spawn-failed". */
export async function startProcess(
  command: PreparedCommand,
  { host, hasInput, terminal }: StartOptions,
): Promise<StartedProcess> {
  return terminal === undefined
    ? startOnPipes(command, host, hasInput)
    : startOnTerminal(command, host.clock, terminal);
}

async function startOnPipes(
  command: PreparedCommand,
  { pipes, clock }: CommandHost,
  hasInput: boolean,
): Promise<StartedProcess> {
  const group = await spawnGroup(command, { pipes, joinOutput: false, hasInput });
  const { stdin, stdout, stderr } = group;
  const input = stdin && new RunInput({ give: givePipe(stdin), end: () => void stdin.end() });
  return {
    pid: group.pid,
    input,
    resize: undefined,
    read: async (take) => {
      const output = Promise.all([
        readStream(stdout, (bytes) => take("stdout", bytes)),
        readStream(stderr, (bytes) => take("stderr", bytes)),
      ]);
      const exit = await group.exit;
      stdin?.destroy();
      await settlesWithin(output, pipesGraceMs, clock);
      stdout.destroy();
      stderr.destroy();
      await output;
      return exit;
    },
  };
}

/** Reads a stream to its end, or until it is destroyed. */
function readStream(
  stream: Readable,
  take: (bytes: Buffer) => Promise<void> | undefined,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  stream.on("data", (bytes: Buffer) => {
    const wait = take(bytes);
    if (wait === undefined) return;
    stream.pause();
    wait.then(() => stream.resume(), reject);
  });
  stream.once("close", resolve);
  // EIO or the like: what was read counts.
  stream.once("error", () => resolve());
  return promise;
}

async function startOnTerminal(
  command: PreparedCommand,
  clock: Clock,
  size: TerminalSize,
): Promise<StartedProcess> {
  const { PseudoTerminal } = await import("../terminal/pseudo-terminal.ts");
  const terminal = new PseudoTerminal(command, size);
  const ended = new AbortController();
  const endOfInput = Uint8Array.of(0x04);
  const write = (bytes: Uint8Array): Promise<void> => terminal.write(bytes, clock, ended.signal);
  return {
    pid: terminal.pid,
    // A terminal has no end: the program gets the character for it.
    input: new RunInput({
      give: write,
      end: () => void write(endOfInput).catch(() => undefined),
    }),
    resize: (wanted) => terminal.resize(wanted),
    read: async (take) => {
      try {
        return await terminal.read((bytes) => take("stdout", bytes), clock);
      } finally {
        ended.abort();
      }
    },
  };
}
