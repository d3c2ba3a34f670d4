import type { Readable, Writable } from "node:stream";

import { whenAborted, type Clock, settlesWithin } from "@slipway/runtime";

import { writeTo } from "../../connections/write-to.ts";
import { signalGroup, signalProcess } from "../../process/process-groups.ts";
import type { CommandHost } from "../../process/run-command.ts";
import { type Exit, type PreparedCommand, spawnGroup } from "../../process/spawn-group.ts";
import { PseudoTerminal } from "../../terminal/pseudo-terminal.ts";
import type { SessionChannel } from "./session-channel.ts";
import type { TerminalRequest } from "./session-setup.ts";
import { terminalCommand } from "./terminal-modes.ts";

/** The time from hanging up a terminal to killing the processes that ignore it. */
const hangUpGraceMs = 5000;

/** The command ended, or the client left before it did. */
export type RunEnd = Exit | { readonly kind: "left" };

/**
 * Runs a command without a terminal for a client. Resolves once it has ended and the client has received all its
 * output; processes that it leaves in the background keep the session open as long as they hold the output, as in
 * OpenSSH. If the client leaves first, the command's group gets a SIGHUP. Throws `ProcessError` "spawn-failed".
 */
export async function runPiped(
  command: PreparedCommand,
  channel: SessionChannel,
  { pipes, groups }: Pick<CommandHost, "pipes" | "groups">,
): Promise<RunEnd> {
  const { ended } = channel;
  const group = await spawnGroup(command, { pipes, joinOutput: false, hasInput: true });
  groups.started(group.pid);
  const exited = group.exit.finally(() => groups.leaderEnded(group.pid));
  // To the command only, not to its group (docs/protocol/agent.md §6.2).
  channel.onSignal((signal) => signalProcess(group.pid, signal));
  if (group.stdin !== undefined) void passInput(channel.input, group.stdin, ended);
  const output = Promise.all([
    passOutput(group.stdout, async (chunk) => channel.writer.write("stdout", chunk)),
    passOutput(group.stderr, async (chunk) => channel.writer.write("stderr", chunk)),
  ]);
  const left = whenAborted(ended).then(() => ({ kind: "left" }) as const);
  const end = await Promise.race([exited.then(async (exit) => output.then(() => exit)), left]);
  if (end.kind === "left") {
    signalGroup(group.pid, "SIGHUP");
    group.stdout.destroy();
    group.stderr.destroy();
  }
  group.stdin?.destroy();
  return end;
}

/**
 * Runs a command on a terminal for a client. Resolves once it has ended and the client has received all its output.
 * If the client leaves first, the terminal hangs up. Throws `ProcessError` "spawn-failed".
 */
export async function runOnTerminal(
  command: PreparedCommand,
  { size, modes }: TerminalRequest,
  channel: SessionChannel,
  { clock, groups }: Pick<CommandHost, "clock" | "groups">,
): Promise<RunEnd> {
  const { ended } = channel;
  const terminal = new PseudoTerminal(terminalCommand(command, modes), size);
  groups.started(terminal.pid);
  const exited = terminal.exit.finally(() => groups.leaderEnded(terminal.pid));
  // To the command only, not to its group (docs/protocol/agent.md §6.2).
  channel.onSignal((signal) => signalProcess(terminal.pid, signal));
  channel.onResize((wanted) => terminal.resize(wanted));
  void typeInput(channel.input, terminal, clock, ended);
  const read = terminal.read((chunk) => channel.writer.write("stdout", chunk), clock);
  const left = whenAborted(ended).then(() => ({ kind: "left" }) as const);
  // Writing fails for a client that has gone, perhaps a moment before that is known.
  const end = await Promise.race([read.catch(async () => left), left]);
  if (end.kind === "left") {
    terminal.hangUp();
    void endSoon(terminal.pid, exited, clock);
  }
  return end;
}

/** Forwards the client's input, and its end, as fast as the command reads. */
async function passInput(input: Readable, stdin: Writable, ended: AbortSignal): Promise<void> {
  try {
    for await (const chunk of input.iterator({ destroyOnReturn: false })) {
      await writeTo(stdin, chunk, ended);
    }
    stdin.end();
  } catch {
    // The command has stopped reading, or the client has gone. Further input is discarded: a client that waits for
    // room in the window would never continue.
    input.resume();
  }
}

async function passOutput(
  output: Readable,
  write: (chunk: Buffer) => Promise<void>,
): Promise<void> {
  try {
    for await (const chunk of output) await write(chunk);
  } catch {
    // The client has gone, which ends the session.
    output.destroy();
  }
}

async function typeInput(
  input: Readable,
  terminal: PseudoTerminal,
  clock: Clock,
  ended: AbortSignal,
): Promise<void> {
  try {
    for await (const chunk of input.iterator({ destroyOnReturn: false })) {
      await terminal.write(chunk, clock, ended);
    }
  } catch {
    // The command or the client has gone.
    input.resume();
  }
}

async function endSoon(pid: number, exited: Promise<unknown>, clock: Clock): Promise<void> {
  if (!(await settlesWithin(exited, hangUpGraceMs, clock))) signalGroup(pid, "SIGKILL");
}
