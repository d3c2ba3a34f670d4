import { errorText, type Logger, Mailbox } from "@slipway/runtime";
import { DrpcResponder, drpcCodeUnimplemented } from "@slipway/wire";

import { type RpcHandler, type RpcHandlers, RpcFailure } from "./handler.ts";

/** Messages of one call, and bytes of them, that may wait for their handler; a caller that sends more is cut off. */
const maxWaitingMessages = 64;
const maxWaitingBytes = 8 * 1024 * 1024;

/** Longest text of an error answer, in characters: it may quote what the caller sent. */
const maxErrorText = 1024;

/** Bounds how many handlers of a session run at once: those of callers that have left run on to their end. */
export interface HandlerSlots {
  /** False when there is none. */
  take(): boolean;
  free(): void;
}

interface Call {
  readonly requests: Mailbox<Uint8Array>;
  readonly abort: AbortController;
  /** One request, whatever its answer is. */
  readonly wantsOne: boolean;
  /** Bytes that came since no message waited last. */
  bytes: number;
}

/** What a call needs of the session that carries it. */
export interface CallNeeds {
  readonly handlers: RpcHandlers;
  readonly session: { readonly logger: Logger };
  readonly slots: HandlerSlots;
  /** Writes to the call's stream. */
  readonly write: (bytes: Uint8Array) => void;
  /** Cuts the stream off. */
  readonly reset: () => void;
}

/** The RPCs of one yamux stream: one at a time, each with a handler that is cancelled when its caller leaves. */
export class RpcCalls {
  readonly #needs: CallNeeds;
  readonly #responder = new DrpcResponder();
  #current: Call | undefined;
  /** Bytes since the last whole packet. */
  #partialBytes = 0;

  constructor(needs: CallNeeds) {
    this.#needs = needs;
  }

  /** Bytes of a message that has not ended, and of those that wait for their handler. */
  get waitingBytes(): number {
    const call = this.#current;
    return this.#partialBytes + (call === undefined || call.requests.size === 0 ? 0 : call.bytes);
  }

  /** Takes bytes of the stream. Throws `DrpcError` for what is no DRPC. */
  receive(bytes: Uint8Array): void {
    const events = this.#responder.receive(bytes);
    this.#partialBytes = events.length === 0 ? this.#partialBytes + bytes.length : 0;
    for (const event of events) {
      switch (event.type) {
        case "invoke":
          this.#invoke(event.path);
          break;
        case "message":
          this.#offer(event.bytes);
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

  /** The bytes are a view of the received chunk, which is not used again. */
  #offer(bytes: Uint8Array): void {
    const call = this.#current;
    if (call === undefined) return;
    if (call.requests.size === 0) call.bytes = 0;
    call.bytes += bytes.length;
    // After its one request such a call takes no more.
    if (call.wantsOne) {
      call.requests.offer(bytes);
      call.requests.close();
    } else if (call.bytes > maxWaitingBytes || call.requests.offer(bytes) === "full") {
      this.#needs.reset();
    }
  }

  #invoke(path: string): void {
    this.cancel();
    const handler = this.#needs.handlers.get(path);
    if (handler === undefined) {
      // Code 12 makes stock peers stop asking (`rpc.md` section 3.6).
      const text = `unknown rpc: "${path.slice(0, maxErrorText)}"`;
      this.#needs.write(this.#responder.error(drpcCodeUnimplemented, text));
      return;
    }
    if (!this.#needs.slots.take()) {
      this.#needs.write(this.#responder.error(0, "too many calls at once"));
      return;
    }
    const call: Call = {
      requests: new Mailbox<Uint8Array>(maxWaitingMessages),
      abort: new AbortController(),
      wantsOne: handler.kind !== "duplex",
      bytes: 0,
    };
    this.#current = call;
    void this.#answer(path, handler, call.requests, call.abort.signal).then(() => {
      this.#needs.slots.free();
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
        this.#needs.session.logger.warn({ rpc: path, error: errorText(error) }, "rpc failed");
      }
      write(this.#responder.error(code, errorText(error).slice(0, maxErrorText)));
    }
  }
}

async function firstOf(requests: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  for await (const request of requests) return request;
  throw new RpcFailure("the call ended before its request");
}
