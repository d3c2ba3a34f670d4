import { setImmediate as nextTurn } from "node:timers/promises";

import { errorText, type Logger, Mailbox } from "@slipway/runtime";
import { DrpcResponder, drpcCodeUnimplemented } from "@slipway/wire";

import { type RpcHandler, type RpcHandlers, RpcFailure } from "./handler.ts";

/** Messages of one call that may wait for their handler; a caller that sends more is cut off. */
const maxWaitingMessages = 64;
/** A message is copied out of the chunk it came in when that is so much larger: the chunk lives as long as the message. */
const maxChunkOverhead = 64 * 1024;

/** Longest text of an error answer, in characters: it may quote what the caller sent. */
const maxErrorText = 1024;

/** Answers of a streaming call that are sent before others have their turn. */
const answersPerTurn = 16;

interface Call {
  readonly requests: Mailbox<Uint8Array>;
  readonly abort: AbortController;
  readonly kind: RpcHandler["kind"];
  /** Bytes of its messages that are held. */
  bytes: number;
}

/** What a call needs of the session that carries it. */
export interface CallNeeds {
  readonly handlers: RpcHandlers;
  readonly session: { readonly logger: Logger };
  /** Answers a request of so many bytes when it is its turn. */
  readonly inTurn: <T>(signal: AbortSignal, bytes: number, answer: () => Promise<T>) => Promise<T>;
  /** Waits until so many bytes more may be sent or taken. */
  readonly pace: (signal: AbortSignal, bytes: number) => Promise<void> | undefined;
  /** Bounds the calls that answer more than once: those of callers that have left run on to their end. */
  readonly streams: { open(): boolean; close(): void };
  /** Told how many more bytes of requests are held, or fewer. */
  readonly hold: (bytes: number) => void;
  /** Writes to the call's stream. */
  readonly write: (bytes: Uint8Array) => void;
  /** Waits until the peer has read enough of what was written. */
  readonly drained: (signal: AbortSignal) => Promise<void> | undefined;
  /** Cuts the stream off. */
  readonly reset: () => void;
}

/** The RPCs of one yamux stream: one at a time, each with a handler that is cancelled when its caller leaves. */
export class RpcCalls {
  readonly #needs: CallNeeds;
  readonly #responder = new DrpcResponder();
  #current: Call | undefined;
  /** Bytes of a packet that is not complete. */
  #partialBytes = 0;

  constructor(needs: CallNeeds) {
    this.#needs = needs;
  }

  /** Takes bytes of the stream. Throws `DrpcError` for what is no DRPC. */
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

  /** The stream is over, and nothing of it is held any more. */
  close(): void {
    this.cancel();
    this.#setPartial(0);
  }

  /** The caller is gone: its handler is told, and what it still answers goes nowhere. */
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
    // After its one request a call takes no more.
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
      // A call that was answered has nothing left to cancel when its caller leaves.
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
        // A handler that need not wait for anything else would let nobody else run.
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

  /** The requests of a call, each held until it is taken. */
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
