import type { Readable, Writable } from "node:stream";

import { whenAborted } from "@slipway/runtime";

import { writeTo } from "../connections/write-to.ts";
import type { CommandHost } from "../process/run-command.ts";
import { signalGroup, signalProcess } from "../process/signal-group.ts";
import { type Exit, type PreparedCommand, spawnGroup } from "../process/spawn-group.ts";
import type { SessionChannel } from "./session-channel.ts";

/** The command ended, or the client left it. */
export type RunEnd = Exit | { readonly kind: "left" };

/**
 * Runs a command without a terminal for a client. Resolves once it has ended and the client has taken all its output; what
 * the command leaves in the background keeps the session open as long as it holds the output, as in OpenSSH. If the client
 * goes first, the command's group gets a SIGHUP. Throws `ProcessError` "spawn-failed".
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
  // To the command alone, not to its group (docs/protocol/agent.md §6.2).
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

/** Passes on what the client sends, as fast as the command reads it, and its end. */
async function passInput(input: Readable, stdin: Writable, ended: AbortSignal): Promise<void> {
  try {
    for await (const chunk of input.iterator({ destroyOnReturn: false })) {
      await writeTo(stdin, chunk, ended);
    }
    stdin.end();
  } catch {
    // The command does not read, or the client has gone. What else the client sends must not fill the window: the client may wait for the room.
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
    // The client has gone, which ends the session, or the output was cut because of it.
    output.destroy();
  }
}
