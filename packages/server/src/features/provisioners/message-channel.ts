import { bytesOf, type RpcSocket } from "@slipway/rpc";
import { errorText, Mailbox } from "@slipway/runtime";

import type { PartName, PieceMessage } from "./session-messages.ts";
import { maxPieceBytes } from "./session-messages.ts";

/** The number of messages from which the peer has to wait, and that at which it may go on. */
const pauseAt = 32;
const resumeAt = 8;
/** Messages that may still come after the peer has to wait: those of the bytes that have arrived. */
const maxWaiting = 65_536;

/** Either end of a provisioner's session: JSON messages over a WebSocket. A slow reader slows the peer. */
export class MessageChannel<In, Out> implements AsyncIterable<In> {
  readonly #socket: RpcSocket;
  readonly #inbox = new Mailbox<string>(maxWaiting);
  readonly #parse: (text: string) => In;

  /** Owns the socket. `parse` throws for a message that is not valid, which ends the channel. */
  constructor(socket: RpcSocket, parse: (text: string) => In) {
    this.#socket = socket;
    this.#parse = parse;
    const { raw, signal } = socket;
    raw.on("message", (data) => {
      if (this.#inbox.offer(Buffer.from(bytesOf(data)).toString()) === "full")
        this.close(1008, "too many messages");
      if (this.#inbox.size >= pauseAt) raw.pause();
    });
    const end = (): void => this.#inbox.close();
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
    raw.resume();
  }

  /** Aborted when the peer has left. */
  get signal(): AbortSignal {
    return this.#socket.signal;
  }

  /** Resolves when the kernel has the message. Rejects with the reason of the signal. */
  async send(message: Out): Promise<void> {
    const { raw, signal } = this.#socket;
    signal.throwIfAborted();
    const bytes = Buffer.from(JSON.stringify(message));
    await new Promise<void>((resolve) => {
      raw.send(bytes, resolve);
    });
    signal.throwIfAborted();
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason.slice(0, 120));
    this.#inbox.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<In, void, undefined> {
    const { raw } = this.#socket;
    for await (const text of this.#inbox) {
      if (raw.isPaused && this.#inbox.size <= resumeAt) raw.resume();
      let message: In;
      try {
        message = this.#parse(text);
      } catch (error) {
        this.close(1008, `malformed message: ${errorText(error)}`);
        return;
      }
      yield message;
    }
  }
}

/** Sends a part of a call in pieces; an empty one as one empty piece. */
export async function sendPart(
  channel: { send(message: PieceMessage): Promise<void> },
  call: string,
  part: PartName,
  bytes: Uint8Array,
): Promise<void> {
  let at = 0;
  do {
    const piece = bytes.subarray(at, at + maxPieceBytes);
    const data = Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString("base64");
    await channel.send({ type: "piece", call, part, data });
    at += maxPieceBytes;
  } while (at < bytes.length);
}
