import { errorText } from "@slipway/runtime";
import {
  encodeRunEvent,
  maxRunFrameBytes,
  parseRunCommand,
  type RunCommand,
  type RunEvent,
  RunFrameError,
} from "@slipway/wire/services/run-frames";
import type { RawData } from "ws";

import type { ApiSocket } from "../http/api-socket.ts";
import { ApiError } from "../http/errors.ts";
import { terminalSize } from "../terminal/terminal-size.ts";
import type { Run } from "./run.ts";
import { parseSignal } from "./signals.ts";

/** The output that may wait for a caller to read; more waits on disk. */
const maxUnsentBytes = 256 * 1024;

/**
 * Sends a caller the output of a run after a position, until it has ended and all was sent, and carries out the caller's
 * commands. A caller that does not read slows no one: it is told of what was dropped in the meantime.
 */
export async function attachRun(run: Run, socket: ApiSocket, after: number): Promise<void> {
  const sender = new Sender(socket);
  await sender.send(stateOf(run));
  socket.raw.on("message", (data: RawData) => {
    try {
      carryOut(run, parseRunCommand(bytesOf(data)));
    } catch (error) {
      refuse(socket, error);
    }
  });
  const sendingTaken = sendTaken(run, sender, socket.signal);
  await sendOutput(run, sender, { after, signal: socket.signal });
  await run.exited;
  await sender.send(stateOf(run));
  // It ends with the socket.
  void sendingTaken;
}

function stateOf(run: Run): RunEvent {
  return { type: "state", json: JSON.stringify(run.describe()) };
}

async function sendOutput(
  run: Run,
  sender: Sender,
  { after, signal }: { readonly after: number; readonly signal: AbortSignal },
): Promise<void> {
  let position = after;
  while (!signal.aborted) {
    const { missedBytes, pieces } = await run.output.read(position, maxRunFrameBytes);
    if (missedBytes > 0) {
      position += missedBytes;
      await sender.send({ type: "gap", position });
    }
    for (const { stream, bytes } of pieces) {
      await sender.send({ type: "output", stream, position, bytes });
      position += bytes.length;
    }
    if (pieces.length > 0 || missedBytes > 0) continue;
    if (run.output.isEnded && position >= run.output.lastSeq) return;
    await run.output.hasMore(position, signal);
  }
}

/** Tells the caller how much of its input the command was given. */
async function sendTaken({ input }: Run, sender: Sender, signal: AbortSignal): Promise<void> {
  if (input === undefined) return;
  let told = 0;
  for (;;) {
    await input.hasTakenMore(told, signal);
    if (signal.aborted) return;
    told = input.taken;
    // A failure is one of the connection, whose end is noticed elsewhere.
    await sender.send({ type: "taken", position: told }).catch(() => undefined);
  }
}

function carryOut(run: Run, command: RunCommand): void {
  switch (command.type) {
    case "input":
      run.input?.write(command.position, command.bytes);
      return;
    case "close-input":
      run.input?.close(command.position);
      return;
    case "resize": {
      const size = terminalSize(command.columns, command.rows);
      if (size !== undefined) run.resize(size);
      return;
    }
    case "signal":
      run.signal(parseSignal(command.name));
  }
}

/** Ends the connection of a caller that breaks the rules. What comes too late for a run that has ended is ignored. */
function refuse(socket: ApiSocket, error: unknown): void {
  if (error instanceof RunFrameError) return socket.close(1003, error.message);
  if (!(error instanceof ApiError)) return socket.close(1011, errorText(error));
  const { reason } = error;
  if (reason === "not-running" || reason === "input-closed") return undefined;
  return socket.close(1008, reason ?? error.message);
}

/** Sends frames, and waits for the caller once too much is unread. */
class Sender {
  readonly #socket: ApiSocket;

  constructor(socket: ApiSocket) {
    this.#socket = socket;
  }

  async send(event: RunEvent): Promise<void> {
    const sent = this.#socket.send(encodeRunEvent(event));
    if (this.#socket.raw.bufferedAmount > maxUnsentBytes) return sent;
    // A failure closes the socket.
    sent.catch(() => undefined);
    return undefined;
  }
}

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
