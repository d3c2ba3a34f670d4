import { errorText, type Logger, Mailbox } from "@slipway/runtime";
import { DrpcResponder, drpcCodeUnimplemented } from "@slipway/wire";

import { type RpcHandler, type RpcHandlers, RpcFailure } from "./handler.ts";

/** Messages of one call that may wait for their handler; a caller that sends more is cut off. */
const maxWaitingMessages = 64;

/** What a call needs of the session that carries it. */
export interface CallNeeds {
  readonly handlers: RpcHandlers;
  readonly logger: Logger;
  /** Writes to the call's stream. */
  readonly write: (bytes: Uint8Array) => void;
  /** Cuts the stream off. */
  readonly reset: () => void;
}

/** The RPCs of one yamux stream: one at a time, each with a handler that is cancelled when its caller leaves. */
export class RpcCalls {
  readonly #needs: CallNeeds;
  readonly #responder = new DrpcResponder();
  #current: { readonly requests: Mailbox<Uint8Array>; readonly abort: AbortController } | undefined;

  constructor(needs: CallNeeds) {
    this.#needs = needs;
  }

  /** Takes bytes of the stream. Throws `DrpcError` for what is no DRPC. */
  receive(bytes: Uint8Array): void {
    for (const event of this.#responder.receive(bytes)) {
      switch (event.type) {
        case "invoke":
          this.#invoke(event.path);
          break;
        case "message":
          // The bytes are a view of the received chunk, which is not used again.
          if (this.#current?.requests.offer(event.bytes) === "full") this.#needs.reset();
          break;
        case "close-send":
          this.#current?.requests.close();
          break;
        case "cancel":
          this.cancel();
      }
    }
  }

  /** The caller is gone: its handler is told, and what it still answers goes nowhere. */
  cancel(): void {
    this.#current?.abort.abort(new DOMException("caller is gone", "AbortError"));
    this.#current?.requests.close();
    this.#current = undefined;
  }

  #invoke(path: string): void {
    this.cancel();
    const handler = this.#needs.handlers.get(path);
    if (handler === undefined) {
      // Code 12 makes stock peers stop asking (`rpc.md` section 3.6).
      this.#needs.write(this.#responder.error(drpcCodeUnimplemented, `unknown rpc: "${path}"`));
      return;
    }
    const call = {
      requests: new Mailbox<Uint8Array>(maxWaitingMessages),
      abort: new AbortController(),
    };
    this.#current = call;
    void this.#answer(path, handler, call.requests, call.abort.signal).then(() => {
      // A call that was answered has nothing left to cancel when its caller leaves.
      if (this.#current === call) this.#current = undefined;
    });
  }

  async #answer(
    path: string,
    handler: RpcHandler,
    requests: Mailbox<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    const write = (bytes: Uint8Array): void => {
      if (!signal.aborted) this.#needs.write(bytes);
    };
    try {
      if (handler.kind === "unary") {
        const message = await handler.answer(await firstOf(requests), signal);
        if (signal.aborted) return;
        write(this.#responder.message(message));
        write(this.#responder.closeSend());
        return;
      }
      const messages =
        handler.kind === "duplex"
          ? handler.answer(requests, signal)
          : handler.answer(await firstOf(requests), signal);
      for await (const message of messages) {
        if (signal.aborted) return;
        write(this.#responder.message(message));
      }
      if (!signal.aborted) write(this.#responder.close());
    } catch (error) {
      if (signal.aborted) return;
      const code = error instanceof RpcFailure ? error.rpcCode : 0;
      if (!(error instanceof RpcFailure)) {
        this.#needs.logger.warn({ rpc: path, error: errorText(error) }, "rpc failed");
      }
      write(this.#responder.error(code, errorText(error)));
    }
  }
}

async function firstOf(requests: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  for await (const request of requests) return request;
  throw new RpcFailure("the call ended before its request");
}
