import { abortable, type Clock, errorText, whenAborted } from "@slipway/runtime";
import type {
  DescMessage,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@slipway/wire/protobuf/descriptors";
import { rpcPath } from "@slipway/wire/protobuf/descriptors";
import { encodeMessage, parseMessage } from "@slipway/wire/protobuf/message";
import type { YamuxEvent } from "@slipway/wire/yamux/events";

import { CallerStream } from "./caller-stream.ts";
import { SessionClosedError } from "./errors.ts";
import { callerOutputLimits } from "./limits.ts";
import { normalClose, Pump, type PumpOptions, type PumpOwner } from "./pump.ts";
import type { RpcSocket } from "./socket.ts";

export interface CallerOptions {
  /** The API version that the responder accepted, such as `2.10`. */
  readonly apiVersion: string;
  readonly clock: Clock;
}

const pumpOptions: PumpOptions = {
  role: "client",
  output: callerOutputLimits,
  textMessage: { code: normalClose, reason: "the server sent a text message" },
};

/**
 * The end of a session that opened it and calls: any number of concurrent calls, each on its own yamux stream
 * (docs/protocol/rpc.md §3.2).
 *
 * Every call rejects with `RpcError` for an error answer, `SessionClosedError` when the session ends first, and the
 * reason of its signal. The owner closes the caller, and with it the socket.
 */
export class Caller implements PumpOwner, AsyncDisposable {
  readonly apiVersion: string;
  readonly #socket: RpcSocket;
  readonly #pump: Pump;
  readonly #streams = new Map<number, CallerStream>();

  constructor(socket: RpcSocket, { apiVersion, clock }: CallerOptions) {
    this.apiVersion = apiVersion;
    this.#socket = socket;
    this.#pump = new Pump(socket, this, clock, pumpOptions);
  }

  /** Resolves to a text for the log once the session is over, for any reason; never rejects. */
  get closed(): Promise<string> {
    return this.#pump.ended;
  }

  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    signal: AbortSignal,
  ): Promise<MessageShape<O>> {
    const stream = this.#open();
    try {
      stream.invoke(rpcPath(method));
      stream.send(encodeMessage(method.input, input));
      stream.finishSending();
      const answer = await abortable(firstOf(stream.messages), signal);
      stream.end();
      return parseMessage(method.output, answer);
    } finally {
      this.#pump.finish(stream.id);
    }
  }

  async *serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    input: MessageInitShape<I>,
    signal: AbortSignal,
  ): AsyncGenerator<MessageShape<O>, void, undefined> {
    const stream = this.#open();
    try {
      stream.invoke(rpcPath(method));
      stream.send(encodeMessage(method.input, input));
      stream.finishSending();
      for await (const bytes of untilAborted(stream.messages, signal)) {
        yield parseMessage(method.output, bytes);
      }
    } finally {
      this.#pump.finish(stream.id);
    }
  }

  /** Sends each request as it arrives. The call ends when the responder ends it; later requests are dropped. */
  async *duplex<I extends DescMessage, O extends DescMessage>(
    method: DescMethodBiDiStreaming<I, O>,
    requests: AsyncIterable<MessageInitShape<I>>,
    signal: AbortSignal,
  ): AsyncGenerator<MessageShape<O>, void, undefined> {
    const stream = this.#open();
    let isOver = false;
    const sending = (async () => {
      stream.invoke(rpcPath(method));
      for await (const request of requests) {
        if (isOver) return;
        stream.send(encodeMessage(method.input, request));
      }
      stream.finishSending();
    })();
    // An error of the requests ends the call; its reader gets the error.
    sending.catch((error: unknown) => stream.fail(errorText(error)));
    try {
      for await (const bytes of untilAborted(stream.messages, signal)) {
        yield parseMessage(method.output, bytes);
      }
    } finally {
      isOver = true;
      this.#pump.finish(stream.id);
    }
  }

  /** Ends the session immediately, and resolves when the socket is closed. Idempotent. */
  async close(): Promise<void> {
    this.#pump.end("closed by this side", normalClose);
    await whenAborted(this.#socket.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** For the pump. */
  onEvent(event: YamuxEvent): void {
    switch (event.type) {
      case "data":
        this.#receive(event.streamId, event.bytes);
        break;
      case "reset":
        this.#streams.get(event.streamId)?.fail("call was cut off");
        break;
      case "finished":
        this.#streams.get(event.streamId)?.fail("call ended early");
        break;
      case "closed":
        this.#streams.delete(event.streamId);
        break;
      case "opened":
      case "accepted":
      case "writable":
      case "pong":
      case "go-away":
        break;
    }
  }

  /** For the pump. */
  onDrained(): void {
    // Calls do not wait: a session with too much unread ends.
  }

  /** For the pump. */
  onEnd(reason: string): void {
    for (const stream of this.#streams.values()) stream.fail(reason);
    this.#streams.clear();
  }

  #open(): CallerStream {
    const stream = new CallerStream(this.#pump.open(), this.#pump);
    this.#streams.set(stream.id, stream);
    return stream;
  }

  #receive(streamId: number, bytes: Uint8Array): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    let isGood = false;
    try {
      isGood = stream.receive(bytes);
    } catch (error) {
      stream.fail(errorText(error));
    }
    if (isGood) return this.#pump.consume(streamId, bytes.length);
    stream.fail("call was cut off");
    this.#pump.reset(streamId);
  }
}

async function firstOf(messages: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  for await (const message of messages) return message;
  throw new SessionClosedError("call ended without an answer");
}

async function* untilAborted<T>(
  items: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const iterator = items[Symbol.asyncIterator]();
  for (;;) {
    const result = await abortable(iterator.next(), signal);
    if (result.done === true) return;
    yield result.value;
  }
}
