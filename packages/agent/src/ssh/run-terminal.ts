import type { Readable } from "node:stream";

import { type Clock, settlesWithin, whenAborted } from "@slipway/runtime";

import type { CommandHost } from "../process/run-command.ts";
import { signalGroup, signalProcess } from "../process/signal-group.ts";
import type { PreparedCommand } from "../process/spawn-group.ts";
import { PseudoTerminal } from "../terminal/pseudo-terminal.ts";
import type { RunEnd } from "./run-piped.ts";
import type { SessionChannel } from "./session-channel.ts";
import type { TerminalRequest } from "./session-setup.ts";
import { terminalCommand } from "./terminal-command.ts";

/** The time from the hang-up of a terminal to the end of processes that do not heed it. */
const hangUpGraceMs = 5000;

/**
 * Runs a command on a terminal for a client. Resolves once it has ended and the client has taken all its output. If the
 * client goes first, the terminal hangs up. Throws `ProcessError` "spawn-failed".
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
  // To the command alone, not to its group (docs/protocol/agent.md §6.2).
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
