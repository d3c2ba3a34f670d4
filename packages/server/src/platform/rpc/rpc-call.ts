import { setImmediate as nextTurn } from "node:timers/promises";

import { errorText, type Logger, Mailbox } from "@slipway/runtime";
import { DrpcResponder, drpcCodeUnimplemented } from "@slipway/wire";

import { type RpcHandler, type RpcHandlers, RpcFailure } from "./handler.ts";

/** The maximum number of messages of one call that wait for their handler; a caller that sends more is disconnected. */
const maxWaitingMessages = 64;
/** The excess size from which a message is copied out of its chunk, which otherwise lives as long as the message. */
const maxChunkOverhead = 64 * 1024;

/** The maximum length of an error answer, in characters: it may quote the caller. */
const maxErrorText = 1024;

/** The number of answers that a streaming call sends before it yields. */
const answersPerTurn = 16;

interface Call {
  readonly requests: Mailbox<Uint8Array>;
  readonly abort: AbortController;
  readonly kind: RpcHandler["kind"];
  /** The bytes of its messages that are held. */
  bytes: number;
}

/** The parts of a session that a call needs. */
export interface CallNeeds {
  readonly handlers: RpcHandlers;
  readonly session: { readonly logger: Logger };
  /** Answers a request of the given size when it is its turn. */
  readonly inTurn: <T>(signal: AbortSignal, bytes: number, answer: () => Promise<T>) => Promise<T>;
  /** Waits until the given number of bytes may be sent or received. */
  readonly pace: (signal: AbortSignal, bytes: number) => Promise<void> | undefined;
  /** Bounds streaming calls: those of callers that have left run to their end. */
  readonly streams: { open(): boolean; close(): void };
  /** Adds to the number of held request bytes, or subtracts if negative. */
  readonly hold: (bytes: number) => void;
  /** Writes to the call's stream. */
  readonly write: (bytes: Uint8Array) => void;
  /** Waits until the peer has read enough of what was written. */
  readonly drained: (signal: AbortSignal) => Promise<void> | undefined;
  /** Resets the stream. */
  readonly reset: () => void;
}

/** The RPCs of one yamux stream: one at a time, each with a handler that is canceled when its caller leaves. */
export class RpcCalls {
  readonly #needs: CallNeeds;
  readonly #responder = new DrpcResponder();
  #current: Call | undefined;
  /** The bytes of an incomplete packet. */
  #partialBytes = 0;

  constructor(needs: CallNeeds) {
    this.#needs = needs;
  }

  /** Receives bytes of the stream. Throws `DrpcError` for invalid DRPC. */
  receive(bytes: Uint8Array): void {
    const events = this.#responder.receive(bytes);
    this.#setPartial(this.#responder.waitingBytes);
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

  /** Ends the stream and releases everything it holds. */
  close(): void {
    this.cancel();
    this.#setPartial(0);
  }

  /** Cancels the handler of a caller that left; its further answers are dropped. */
  cancel(): void {
    this.#current?.abort.abort(new DOMException("caller is gone", "AbortError"));
    this.#current?.requests.close();
    this.#current = undefined;
  }

  #setPartial(bytes: number): void {
    if (bytes === this.#partialBytes) return;
    this.#needs.hold(bytes - this.#partialBytes);
    this.#partialBytes = bytes;
  }

  #offer(bytes: Uint8Array): void {
    const call = this.#current;
    if (call === undefined) return;
    const isWasteful = bytes.buffer.byteLength - bytes.length > maxChunkOverhead + bytes.length;
    const offered = call.requests.offer(isWasteful ? bytes.slice() : bytes);
    // A call that is not duplex takes only one request.
    if (call.kind !== "duplex") call.requests.close();
    if (offered === "full") return this.#needs.reset();
    if (offered === "taken") this.#hold(call, bytes.length);
  }

  #hold(call: Call, bytes: number): void {
    call.bytes += bytes;
    this.#needs.hold(bytes);
  }

  #invoke(path: string): void {
    this.cancel();
    const handler = this.#needs.handlers.get(path);
    if (handler === undefined) {
      // Code 12 makes stock peers stop asking (docs/protocol/rpc.md §3.6).
      const text = `unknown rpc: "${path.slice(0, maxErrorText)}"`;
      this.#needs.write(this.#responder.error(drpcCodeUnimplemented, text));
      return;
    }
    const isStream = handler.kind !== "unary";
    if (isStream && !this.#needs.streams.open()) {
      this.#needs.write(this.#responder.error(0, "too many streaming calls at once"));
      return;
    }
    const call: Call = {
      requests: new Mailbox<Uint8Array>(maxWaitingMessages),
      abort: new AbortController(),
      kind: handler.kind,
      bytes: 0,
    };
    this.#current = call;
    void this.#answer(path, handler, call).then(() => {
      if (isStream) this.#needs.streams.close();
      this.#hold(call, -call.bytes);
      // An answered call has nothing left to cancel when its caller leaves.
      if (this.#current === call) this.#current = undefined;
    });
  }

  async #answer(path: string, handler: RpcHandler, call: Call): Promise<void> {
    const { signal } = call.abort;
    const write = (bytes: Uint8Array): void => {
      if (!signal.aborted) this.#needs.write(bytes);
    };
    try {
      if (handler.kind === "unary") {
        const request = await firstOf(call.requests);
        const message = await this.#needs.inTurn(signal, request.length, () =>
          handler.answer(request, signal),
        );
        if (signal.aborted) return;
        write(this.#responder.message(message));
        write(this.#responder.closeSend());
        return;
      }
      const messages =
        handler.kind === "duplex"
          ? handler.answer(this.#released(call), signal)
          : handler.answer(await firstOf(call.requests), signal);
      let answers = 0;
      for await (const message of messages) {
        if (signal.aborted) return;
        write(this.#responder.message(message));
        await this.#needs.drained(signal);
        await this.#needs.pace(signal, message.length);
        answers += 1;
        // A handler that never waits would starve everything else.
        if (answers % answersPerTurn === 0) await nextTurn();
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

  /** Yields the requests of a call, each held until it is taken. */
  async *#released(call: Call): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const request of call.requests) {
      await this.#needs.pace(call.abort.signal, request.length);
      this.#hold(call, -request.length);
      yield request;
    }
  }
}

async function firstOf(requests: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  for await (const request of requests) return request;
  throw new RpcFailure("the call ended before its request");
}
