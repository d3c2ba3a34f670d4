import { setImmediate as nextTurn } from "node:timers/promises";

import {
  type Clock,
  errorText,
  type Logger,
  Mailbox,
  type UnfinishedShare,
} from "@slipway/runtime";
import { DrpcResponder } from "@slipway/wire/drpc/responder";
import { drpcCodeUnimplemented } from "@slipway/wire/drpc/rpc-error";

import type { Admission } from "./admission.ts";
import { RpcError } from "./errors.ts";
import type { RpcHandler, RpcTable } from "./handler.ts";
import { responderLimits as limits } from "./limits.ts";
import type { Pump } from "./pump.ts";

/** The excess size above which a message is copied out of its chunk, which otherwise lives as long as the message. */
const maxChunkOverhead = 64 * 1024;

/** The maximum length of an error answer, in characters: it may quote the caller. */
const maxErrorText = 1024;

/** The number of answers that a streaming call sends before it yields. */
const answersPerTurn = 16;

/** The reason of every canceled handler; shared, because each new error would record a stack that is never read. */
const callerGone = new DOMException("caller is gone", "AbortError");

interface Call {
  readonly requests: Mailbox<Uint8Array>;
  readonly abort: AbortController;
  readonly kind: RpcHandler<unknown>["kind"];
  /** The number of held bytes of its messages. */
  bytes: number;
}

/** The parts of a session that its streams share. */
export interface SessionParts<S extends { readonly logger: Logger }> {
  readonly rpcs: RpcTable<S>;
  readonly session: S;
  readonly pump: Pick<Pump, "write" | "drained" | "consume">;
  readonly admission: Admission;
  readonly clock: Pick<Clock, "monotonic">;
  /** Opens a stream's share of the unfinished bytes. */
  readonly openUnfinished: (streamId: number) => UnfinishedShare;
}

/** The RPCs of one yamux stream: one at a time, each with a handler that is canceled when its caller leaves. */
export class ResponderStream<S extends { readonly logger: Logger }> {
  readonly #id: number;
  readonly #parts: SessionParts<S>;
  readonly #responder = new DrpcResponder();
  #current: Call | undefined;
  /** The bytes of an incomplete packet. */
  #partialBytes = 0;
  /** The share counted among those of all sessions; opened on demand, as most packets arrive whole. */
  #unfinished: UnfinishedShare | undefined;
  #isClosed = false;
  /** Credit to return when the handler has read more of the waiting messages. */
  #owedCredit = 0;

  constructor(id: number, parts: SessionParts<S>) {
    this.#id = id;
    this.#parts = parts;
  }

  /** Receives bytes of the stream, and returns their credit when it has room for more. Throws `DrpcError` for invalid DRPC, `RangeError` for too many requests. */
  receive(bytes: Uint8Array): void {
    const events = this.#responder.receive(bytes);
    // The packet that is incomplete now may be a different one.
    if (events.length > 0) this.#setPartial(0);
    this.#setPartial(this.#responder.waitingBytes);
    if (this.#isClosed) return;
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
    this.#parts.admission.checkHeld();
    this.#owedCredit += bytes.length;
    this.#payCredit();
  }

  /** Ends the stream and releases everything it holds. */
  close(): void {
    this.#isClosed = true;
    this.cancel();
    this.#setPartial(0);
  }

  /** Cancels the handler of a caller that left; its further answers are dropped. */
  cancel(): void {
    this.#current?.abort.abort(callerGone);
    this.#current?.requests.close();
    this.#current = undefined;
    this.#payCredit();
  }

  #payCredit(): void {
    const waiting = this.#current?.requests.size ?? 0;
    if (this.#owedCredit === 0 || waiting > limits.maxWaitingMessages) return;
    const credit = this.#owedCredit;
    this.#owedCredit = 0;
    this.#parts.pump.consume(this.#id, credit);
  }

  #setPartial(bytes: number): void {
    if (bytes === this.#partialBytes) return;
    this.#parts.admission.hold(bytes - this.#partialBytes);
    this.#partialBytes = bytes;
    this.#unfinished ??= this.#parts.openUnfinished(this.#id);
    this.#unfinished.set(bytes, this.#parts.clock.monotonic());
  }

  #offer(bytes: Uint8Array): void {
    const call = this.#current;
    if (call === undefined) return;
    const isWasteful = bytes.buffer.byteLength - bytes.length > maxChunkOverhead + bytes.length;
    const offered = call.requests.offer(isWasteful ? bytes.slice() : bytes);
    // A call that is not duplex has only one request.
    if (call.kind !== "duplex") call.requests.close();
    if (offered === "full") {
      throw new RangeError(`more than ${limits.maxOverdueMessages} messages of a call are waiting`);
    }
    if (offered === "taken") this.#hold(call, heldBytes(bytes));
  }

  #hold(call: Call, bytes: number): void {
    call.bytes += bytes;
    this.#parts.admission.hold(bytes);
  }

  #write(bytes: Uint8Array): void {
    this.#parts.pump.write(this.#id, bytes);
  }

  #invoke(path: string): void {
    this.cancel();
    const { rpcs, admission } = this.#parts;
    const handler = rpcs.get(path);
    if (handler === undefined) {
      // Code 12 makes stock peers stop asking (docs/protocol/rpc.md §3.6).
      const text = `unknown rpc: "${path.slice(0, maxErrorText)}"`;
      this.#write(this.#responder.error(drpcCodeUnimplemented, text));
      return;
    }
    const isStream = handler.kind !== "unary";
    if (isStream && !admission.openStreaming()) {
      this.#write(this.#responder.error(0, "too many streaming calls at once"));
      return;
    }
    const call: Call = {
      requests: new Mailbox<Uint8Array>(limits.maxOverdueMessages),
      abort: new AbortController(),
      kind: handler.kind,
      bytes: 0,
    };
    this.#current = call;
    void this.#answer(path, handler, call).then(() => {
      if (isStream) admission.closeStreaming();
      this.#hold(call, -call.bytes);
      // An answered call has nothing left to cancel when its caller leaves.
      if (this.#current === call) this.#current = undefined;
      this.#payCredit();
    });
  }

  async #answer(path: string, handler: RpcHandler<S>, call: Call): Promise<void> {
    const { pump, admission, session } = this.#parts;
    const { signal } = call.abort;
    const write = (bytes: Uint8Array): void => {
      if (!signal.aborted) this.#write(bytes);
    };
    try {
      if (handler.kind === "unary") {
        const request = await firstOf(call.requests);
        const message = await admission.inTurn(signal, request.length, () =>
          handler.answer(session, request, signal),
        );
        if (signal.aborted) return;
        write(this.#responder.message(message));
        write(this.#responder.closeSend());
        return;
      }
      const messages =
        handler.kind === "duplex"
          ? handler.answer(session, this.#released(call), signal)
          : handler.answer(session, await firstOf(call.requests), signal);
      let answers = 0;
      for await (const message of messages) {
        if (signal.aborted) return;
        write(this.#responder.message(message));
        await pump.drained(signal);
        await admission.pace(signal, message.length);
        answers += 1;
        // A handler that never waits would starve everything else.
        if (answers % answersPerTurn === 0) await nextTurn();
      }
      if (!signal.aborted) write(this.#responder.close());
    } catch (error) {
      if (signal.aborted) return;
      const code = error instanceof RpcError ? error.rpcCode : 0;
      if (!(error instanceof RpcError)) {
        session.logger.warn({ rpc: path, error: errorText(error) }, "rpc failed");
      }
      write(this.#responder.error(code, errorText(error).slice(0, maxErrorText)));
    }
  }

  /** Yields the requests of a call, each held until it is read. */
  async *#released(call: Call): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const request of call.requests) {
      await this.#parts.admission.pace(call.abort.signal, request.length);
      this.#hold(call, -heldBytes(request));
      if (this.#current === call) this.#payCredit();
      yield request;
    }
  }
}

/** A short message occupies more memory than its bytes. */
function heldBytes(message: Uint8Array): number {
  return Math.max(message.length, limits.minMessageCost);
}

async function firstOf(requests: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  for await (const request of requests) return request;
  throw new RpcError("the call ended before its request");
}
