import { Mailbox } from "@slipway/runtime";
import { DrpcCaller } from "@slipway/wire";

import { RpcError, SessionClosedError } from "./errors.ts";

/** The most messages of one call that may wait for their reader; a server that sends more is cut off. */
const maxWaitingMessages = 256;

/** One call on a yamux stream of its own, as bytes. The session feeds it and carries its output away. */
export class RpcStream {
  readonly #caller = new DrpcCaller();
  readonly #messages = new Mailbox<Uint8Array>(maxWaitingMessages);
  readonly #write: (bytes: Uint8Array) => void;

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  /** Yields the answers, in order; throws `RpcError` or `SessionClosedError`. */
  get messages(): AsyncIterable<Uint8Array> {
    return this.#messages;
  }

  invoke(path: string): void {
    this.#write(this.#caller.invoke(path));
  }

  send(message: Uint8Array): void {
    this.#write(this.#caller.message(message));
  }

  finishSending(): void {
    this.#write(this.#caller.closeSend());
  }

  /** Tells the server that the call is over, unless it knows. */
  end(): void {
    this.#write(this.#caller.close());
  }

  /** Takes bytes of the stream; false when the call must be cut off. */
  receive(bytes: Uint8Array): boolean {
    for (const event of this.#caller.receive(bytes)) {
      switch (event.type) {
        case "message":
          if (this.#messages.offer(event.bytes) === "full") return false;
          break;
        case "end":
          this.#messages.close();
          break;
        case "error":
          this.#messages.close(new RpcError(event.code, event.message));
      }
    }
    return true;
  }

  /** Ends the call, as the stream or the session is gone. */
  fail(reason: string): void {
    this.#messages.close(new SessionClosedError(reason));
  }
}
