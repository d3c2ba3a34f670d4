import { Mailbox } from "@slipway/runtime";
import { DrpcCaller } from "@slipway/wire/drpc/caller";

import { RpcError, SessionClosedError } from "./errors.ts";
import { callerLimits as limits } from "./limits.ts";
import type { Pump } from "./pump.ts";

/** One call on its own yamux stream, as bytes. */
export class CallerStream {
  readonly id: number;
  readonly #pump: Pick<Pump, "write">;
  readonly #caller = new DrpcCaller();
  readonly #messages = new Mailbox<Uint8Array>(limits.maxWaitingMessages);

  constructor(id: number, pump: Pick<Pump, "write">) {
    this.id = id;
    this.#pump = pump;
  }

  /** Yields the answers, in order; throws `RpcError` or `SessionClosedError`. */
  get messages(): AsyncIterable<Uint8Array> {
    return this.#messages;
  }

  invoke(path: string): void {
    this.#pump.write(this.id, this.#caller.invoke(path));
  }

  send(message: Uint8Array): void {
    this.#pump.write(this.id, this.#caller.message(message));
  }

  finishSending(): void {
    this.#pump.write(this.id, this.#caller.closeSend());
  }

  /** Notifies the responder that the call is over, unless it already knows. */
  end(): void {
    this.#pump.write(this.id, this.#caller.close());
  }

  /** Receives bytes of the stream; returns false when the call must be cut off. */
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
          this.#messages.close(new RpcError(event.message, event.code));
      }
    }
    return true;
  }

  /** Ends the call because the stream or the session is gone. */
  fail(reason: string): void {
    this.#messages.close(new SessionClosedError(reason));
  }
}
