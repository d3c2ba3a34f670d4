import { Waiters } from "@slipway/runtime";
import {
  encodeRunCommand,
  maxRunFrameBytes,
  runInputWindow,
} from "@slipway/wire/services/run-frames";

import { RunError } from "./errors.ts";

/** Sends a message over the connection at hand. */
type SendMessage = (message: Uint8Array) => void;

/**
 * The input of a run on its way: numbered, and kept until the command was given it, so that another connection goes on
 * where the last one broke off.
 */
export class InputSender {
  readonly #changed = new Waiters();
  /** The bytes that the command was not given yet, as far as is known. */
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  /** The position of the first kept byte, and of the first that was not sent over this connection. */
  #taken = 0;
  #sent = 0;
  #closedAt: number | undefined;
  #isOver = false;
  #send: SendMessage | undefined;

  /** The position after the last byte. */
  get end(): number {
    return this.#taken + this.#keptBytes;
  }

  /** Adds bytes; resolves once there is room for more. Rejects with `RunError` if the input is closed. */
  async write(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    for (let at = 0; at < bytes.length; at += maxRunFrameBytes) {
      while (this.#keptBytes > runInputWindow - maxRunFrameBytes && !this.#isOver) {
        await this.#changed.next(signal);
        signal.throwIfAborted();
      }
      if (this.#closedAt !== undefined || this.#isOver) {
        throw new RunError("input-closed", "the input of the run is closed", { admitted: "no" });
      }
      // The caller may use its buffer again.
      const part = bytes.slice(at, at + maxRunFrameBytes);
      this.#kept.push(part);
      this.#keptBytes += part.length;
      this.#sendRest();
    }
  }

  /** Ends the input. Idempotent. */
  close(): void {
    this.#closedAt ??= this.end;
    this.#sendRest();
  }

  /** Goes on over a new connection: the command was given this many bytes. */
  connect(send: SendMessage, taken: number): void {
    this.noteTaken(taken);
    this.#sent = this.#taken;
    this.#send = send;
    this.#sendRest();
  }

  disconnect(): void {
    this.#send = undefined;
  }

  /** Forgets what the command was given. */
  noteTaken(position: number): void {
    while (this.#kept.length > 0 && this.#taken < position) {
      const [first = new Uint8Array(), ...rest] = this.#kept;
      const count = Math.min(first.length, position - this.#taken);
      this.#taken += count;
      this.#keptBytes -= count;
      this.#kept = count === first.length ? rest : [first.subarray(count), ...rest];
    }
    this.#sent = Math.max(this.#sent, this.#taken);
    this.#changed.wakeAll();
  }

  /** The command has ended, or has closed its input. */
  finish(): void {
    this.#isOver = true;
    this.#changed.wakeAll();
  }

  #sendRest(): void {
    const send = this.#send;
    if (send === undefined) return;
    let position = this.#taken;
    for (const bytes of this.#kept) {
      const from = Math.max(0, this.#sent - position);
      if (from < bytes.length) {
        const rest = bytes.subarray(from);
        send(encodeRunCommand({ type: "input", position: position + from, bytes: rest }));
        this.#sent = position + bytes.length;
      }
      position += bytes.length;
    }
    if (this.#closedAt !== undefined && this.#sent >= this.#closedAt) {
      send(encodeRunCommand({ type: "close-input", position: this.#closedAt }));
    }
  }
}
