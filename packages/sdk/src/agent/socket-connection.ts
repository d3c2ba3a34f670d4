import type {
  DescMessage,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { abortable, type Clock, errorText } from "@slipway/runtime";
import { encodeMessage, parseMessage, rpcPath, type YamuxEvent, YamuxSession } from "@slipway/wire";
import type { RawData, WebSocket } from "ws";

import type { AgentConnection } from "./connection.ts";
import { SessionClosedError } from "./errors.ts";
import { RpcStream } from "./rpc-stream.ts";

/** The most bytes that may wait in the socket for a server that does not read; more ends the session. */
const maxBufferedBytes = 16 * 1024 * 1024;
const closeTimeoutMs = 2_000;

/** A session over an open WebSocket: yamux on its binary messages, one stream a call (docs/protocol/rpc.md §1 to §3). */
export class SocketConnection implements AgentConnection {
  readonly apiVersion: string;
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #yamux = new YamuxSession("client");
  readonly #streams = new Map<number, RpcStream>();
  readonly #closed = Promise.withResolvers<string>();
  #end: string | undefined;
  #isFlushQueued = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket, apiVersion: string, clock: Clock) {
    this.#socket = socket;
    this.apiVersion = apiVersion;
    this.#clock = clock;
    socket.on("message", (data, isBinary) => {
      if (!isBinary) return this.#finish("the server sent a text message");
      this.#guard(() => this.#take(this.#yamux.receive(bytesOf(data), this.#clock.monotonic())));
    });
    socket.on("close", (code, reason) =>
      this.#finish(`socket closed with ${code} ${reason.toString()}`.trim()),
    );
    socket.on("error", (error) => this.#finish(error.message));
    this.#arm();
  }

  get closed(): Promise<string> {
    return this.#closed.promise;
  }

  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    signal: AbortSignal,
  ): Promise<MessageShape<O>> {
    const [streamId, stream] = this.#open();
    try {
      stream.invoke(rpcPath(method));
      stream.send(encodeMessage(method.input, input));
      stream.finishSending();
      const answer = await abortable(firstOf(stream.messages), signal);
      stream.end();
      return parseMessage(method.output, answer);
    } finally {
      this.#finishStream(streamId);
    }
  }

  async *serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    input: MessageInitShape<I>,
    signal: AbortSignal,
  ): AsyncGenerator<MessageShape<O>, void, undefined> {
    const [streamId, stream] = this.#open();
    try {
      stream.invoke(rpcPath(method));
      stream.send(encodeMessage(method.input, input));
      stream.finishSending();
      for await (const bytes of untilAborted(stream.messages, signal)) {
        yield parseMessage(method.output, bytes);
      }
    } finally {
      this.#finishStream(streamId);
    }
  }

  async *duplex<I extends DescMessage, O extends DescMessage>(
    method: DescMethodBiDiStreaming<I, O>,
    requests: AsyncIterable<MessageInitShape<I>>,
    signal: AbortSignal,
  ): AsyncGenerator<MessageShape<O>, void, undefined> {
    const [streamId, stream] = this.#open();
    const sending = (async () => {
      stream.invoke(rpcPath(method));
      for await (const request of requests) stream.send(encodeMessage(method.input, request));
      stream.finishSending();
    })();
    // Whatever ends the requests ends the call; the reader sees it.
    sending.catch((error: unknown) => stream.fail(errorText(error)));
    try {
      for await (const bytes of untilAborted(stream.messages, signal)) {
        yield parseMessage(method.output, bytes);
      }
    } finally {
      this.#finishStream(streamId);
    }
  }

  async close(): Promise<void> {
    if (this.#end === undefined) this.#finish("closed by this side");
    if (this.#socket.readyState === this.#socket.CLOSED) return;
    const gone = new Promise<void>((resolve) => {
      this.#socket.once("close", () => resolve());
    });
    const timer = setTimeout(() => this.#socket.terminate(), closeTimeoutMs);
    await gone;
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #open(): readonly [number, RpcStream] {
    if (this.#end !== undefined) throw new SessionClosedError(this.#end);
    const streamId = this.#yamux.open(this.#clock.monotonic());
    const stream = new RpcStream((bytes) => {
      if (bytes.length === 0 || !this.#streams.has(streamId)) return;
      this.#guard(() => this.#yamux.write(streamId, bytes));
      this.#flush();
    });
    this.#streams.set(streamId, stream);
    return [streamId, stream];
  }

  /** Half-closes; the stream is forgotten when the server has done so too. */
  #finishStream(streamId: number): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    this.#guard(() => this.#yamux.finish(streamId));
    this.#flush();
  }

  #take(events: readonly YamuxEvent[]): void {
    for (const event of events) {
      if (event.type === "data") this.#receive(event.streamId, event.bytes);
      else if (event.type === "reset") this.#streams.get(event.streamId)?.fail("call was cut off");
      else if (event.type === "finished")
        this.#streams.get(event.streamId)?.fail("call ended early");
      else if (event.type === "closed") this.#streams.delete(event.streamId);
    }
    this.#flush();
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
    if (isGood) this.#yamux.consume(streamId, bytes.length);
    else {
      stream.fail("call was cut off");
      this.#yamux.reset(streamId);
    }
  }

  /** Sends everything written in one turn as one message. */
  #flush(): void {
    if (this.#isFlushQueued) return;
    this.#isFlushQueued = true;
    queueMicrotask(() => {
      this.#isFlushQueued = false;
      const output = this.#yamux.takeOutput();
      if (output === undefined || this.#socket.readyState !== this.#socket.OPEN) return;
      if (this.#socket.bufferedAmount > maxBufferedBytes)
        return this.#finish("the server does not read");
      this.#socket.send(output);
      this.#arm();
    });
  }

  #arm(): void {
    const wake = this.#yamux.nextWake();
    clearTimeout(this.#timer);
    if (wake === undefined || this.#end !== undefined) return;
    const now = this.#clock.monotonic();
    this.#timer = setTimeout(
      () => {
        this.#guard(() => {
          this.#yamux.tick(this.#clock.monotonic());
          this.#take(this.#yamux.takeEvents());
        });
        this.#arm();
      },
      Math.max(0, wake - now),
    );
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#finish(errorText(error));
    }
  }

  #finish(reason: string): void {
    if (this.#end !== undefined) return;
    this.#end = reason;
    clearTimeout(this.#timer);
    for (const stream of this.#streams.values()) stream.fail(reason);
    this.#streams.clear();
    this.#closed.resolve(reason);
    this.#socket.close(1000);
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

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
