import { once } from "node:events";
import { constants } from "node:os";
import type { Readable } from "node:stream";

import type { ClientChannel } from "ssh2";

import { CommandError, InterruptError, type SignalName } from "../../command/errors.ts";
import type { Needs } from "../../command/needs.ts";
import type { RawTerminal } from "../../terminal/terminal.ts";
import type { Session, SessionExit } from "./ssh-connection.ts";
import { sendSignal } from "./ssh2.ts";
import { copyTo } from "./stdio.ts";

/** The exit code if the connection is lost, that of OpenSSH. */
export const lostExitCode = 255;

interface CarryOptions {
  /** Returns the typed keys to pass on; undefined for all of them. */
  readonly passOn: ((keys: Uint8Array) => Uint8Array) | undefined;
  readonly signal: AbortSignal;
}

/**
 * Connects a program with stdin, stdout and stderr until it has ended and everything is written; resolves with its
 * exit code, or 128 plus the number of a signal. Throws `CommandError` if the connection is lost first.
 */
export async function carrySession(
  { channel, ended }: Session,
  { input, output, error }: RawTerminal,
  { passOn, signal }: CarryOptions,
): Promise<number> {
  const over = new AbortController();
  // It ends with the session in any case; a program that does not read has not failed.
  type(channel, input, passOn ?? ((keys) => keys), over.signal).catch(() => undefined);
  try {
    await Promise.all([
      copyTo(output, channel, signal),
      copyTo(error, channel.stderr, signal),
      ended,
    ]);
  } finally {
    over.abort();
    // Otherwise it would keep the process waiting for keys.
    input.destroy();
  }
  return exitCodeOf(await ended);
}

async function type(
  channel: ClientChannel,
  input: Readable,
  passOn: (keys: Uint8Array) => Uint8Array,
  over: AbortSignal,
): Promise<void> {
  for await (const keys of input) {
    const passed = passOn(keys);
    if (passed.length > 0 && !channel.write(passed)) await once(channel, "drain", { signal: over });
  }
  channel.end();
}

/** Forwards a signal of this process to the program. */
export function forwardSignal({ channel }: Pick<Session, "channel">, name: SignalName): void {
  sendSignal(channel, name.slice("SIG".length));
}

function exitCodeOf(exit: SessionExit): number {
  switch (exit.kind) {
    case "code":
      return exit.code;
    case "signal":
      return 128 + signalNumber(exit.signal);
    case "lost":
      throw new CommandError("the connection to the workspace was lost", {
        exitCode: lostExitCode,
      });
  }
}

function signalNumber(name: string): number {
  const found = Object.entries(constants.signals).find(([known]) => known === name);
  return found?.[1] ?? 0;
}

export type SessionEndNeeds = Pick<Needs, "signal" | "interruption">;

/**
 * Returns the signal that ends a session without a terminal. The first interruption is forwarded to the program,
 * which decides how to respond; the second ends the session, and so does the end of stdout or of the terminal.
 */
export function endOf(session: Session, { signal, interruption }: SessionEndNeeds): AbortSignal {
  const ended = new AbortController();
  const onAbort = (): void => {
    const { reason } = signal;
    if (reason instanceof InterruptError) forwardSignal(session, reason.signal);
    const isOver = !(reason instanceof InterruptError) || reason.signal === "SIGHUP";
    if (isOver) ended.abort(reason);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return AbortSignal.any([ended.signal, interruption.forced]);
}
