import type {
  DescMessage,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
} from "@slipway/wire/protobuf/descriptors";
import { rpcPath } from "@slipway/wire/protobuf/descriptors";
import { encodeMessage } from "@slipway/wire/protobuf/message";

/**
 * The handler of one RPC, on bytes; created by `unary`, `serverStream` and `duplex`. It serves all sessions of a
 * kind: each call passes the state of its session.
 */
export type RpcHandler<S> =
  | {
      readonly kind: "unary";
      readonly answer: (
        session: S,
        request: Uint8Array,
        signal: AbortSignal,
      ) => Promise<Uint8Array>;
    }
  | {
      readonly kind: "server-stream";
      readonly answer: (
        session: S,
        request: Uint8Array,
        signal: AbortSignal,
      ) => AsyncIterable<Uint8Array>;
    }
  | {
      readonly kind: "duplex";
      readonly answer: (
        session: S,
        requests: AsyncIterable<Uint8Array>,
        signal: AbortSignal,
      ) => AsyncIterable<Uint8Array>;
    };

/** The RPCs of all sessions of a kind by path, of one service or several; mostly a `Map`. */
export interface RpcTable<S> {
  get(path: string): RpcHandler<S> | undefined;
}

/** An RPC with its path, for a table. */
export type RpcEntry<S> = readonly [path: string, handler: RpcHandler<S>];

/** Returns the entry of a unary RPC. Each RPC gets the parser of its requests, which bounds them. */
export function unary<S, T, O extends DescMessage>(
  method: DescMethodUnary<DescMessage, O>,
  parse: (request: Uint8Array) => T,
  answer: (session: S, request: T) => Promise<MessageInitShape<O>>,
): RpcEntry<S> {
  return [
    rpcPath(method),
    {
      kind: "unary",
      answer: async (session, bytes) =>
        encodeMessage(method.output, await answer(session, parse(bytes))),
    },
  ];
}

/** Returns the entry of an RPC with one request and a stream of answers; the call ends with them. */
export function serverStream<S, T, O extends DescMessage>(
  method: DescMethodServerStreaming<DescMessage, O>,
  parse: (request: Uint8Array) => T,
  answer: (session: S, request: T, signal: AbortSignal) => AsyncIterable<MessageInitShape<O>>,
): RpcEntry<S> {
  return [
    rpcPath(method),
    {
      kind: "server-stream",
      answer: (session, bytes, signal) =>
        new Mapped(answer(session, parse(bytes), signal), (message) =>
          encodeMessage(method.output, message),
        ),
    },
  ];
}

/**
 * Returns the entry of an RPC with a stream in each direction. The requests end when the caller stops sending or
 * leaves; the call ends with the answers.
 */
export function duplex<S, T, O extends DescMessage>(
  method: DescMethodBiDiStreaming<DescMessage, O>,
  parse: (request: Uint8Array) => T,
  answer: (
    session: S,
    requests: AsyncIterable<T>,
    signal: AbortSignal,
  ) => AsyncIterable<MessageInitShape<O>>,
): RpcEntry<S> {
  return [
    rpcPath(method),
    {
      kind: "duplex",
      answer: (session, requests, signal) =>
        new Mapped(answer(session, new Mapped(requests, parse), signal), (message) =>
          encodeMessage(method.output, message),
        ),
    },
  ];
}

/**
 * An iteration whose items are mapped. Not a generator: a server has thousands of calls, and a generator that waits takes
 * several times the memory.
 */
class Mapped<T, U> implements AsyncIterableIterator<U, undefined, undefined> {
  readonly #source: AsyncIterator<T, unknown, undefined>;
  readonly #map: (item: T) => U;

  constructor(source: AsyncIterable<T>, map: (item: T) => U) {
    this.#source = source[Symbol.asyncIterator]();
    this.#map = map;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<U, undefined>> {
    return this.#source.next().then(this.#step);
  }

  async return(): Promise<IteratorResult<U, undefined>> {
    await this.#source.return?.();
    return { done: true, value: undefined };
  }

  readonly #step = (
    result: IteratorResult<T, unknown>,
  ): IteratorResult<U, undefined> | Promise<never> => {
    if (result.done === true) return { done: true, value: undefined };
    try {
      return { done: false, value: this.#map(result.value) };
    } catch (error) {
      return this.return().then(() => {
        throw error;
      });
    }
  };
}
