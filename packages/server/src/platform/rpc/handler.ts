import { type DescMessage, encodeMessage, type MessageInitShape } from "@slipway/wire";

/** A refused RPC: its code and text are sent to the caller (docs/protocol/rpc.md §3.5). */
export class RpcFailure extends Error {
  override readonly name = "RpcFailure";
  readonly code = "rpc-failure";
  readonly rpcCode: number;

  constructor(message: string, rpcCode = 0) {
    super(message);
    this.rpcCode = rpcCode;
  }
}

/** The handler of one RPC, on bytes; created by `unary`, `serverStream` and `duplex`. */
export type RpcHandler =
  | {
      readonly kind: "unary";
      readonly answer: (request: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>;
    }
  | {
      readonly kind: "server-stream";
      readonly answer: (request: Uint8Array, signal: AbortSignal) => AsyncIterable<Uint8Array>;
    }
  | {
      readonly kind: "duplex";
      readonly answer: (
        requests: AsyncIterable<Uint8Array>,
        signal: AbortSignal,
      ) => AsyncIterable<Uint8Array>;
    };

/** The RPCs of a session by path. */
export interface RpcHandlers {
  get(path: string): RpcHandler | undefined;
}

/** RPCs by path, for all sessions of a kind: the state of a session is passed at the call. */
export type RpcTable<S> = ReadonlyMap<string, (session: S) => RpcHandler>;

/**
 * Returns the RPCs of one session; a handler is created when it is called, because an idle session must cost little.
 */
export function handlersOf<S>(table: RpcTable<S>, session: S): RpcHandlers {
  return { get: (path) => table.get(path)?.(session) };
}

/** The relevant parts of a method of a generated service. */
interface Method<O extends DescMessage> {
  readonly name: string;
  readonly parent: { readonly typeName: string };
  readonly output: O;
}

/** An RPC with its path, for a table. */
export type RpcEntry<S> = readonly [path: string, handler: (session: S) => RpcHandler];

/** Returns the entry of a unary RPC. Each RPC gets the parser of its requests, which bounds them. */
export function unary<S, T, O extends DescMessage>(
  method: Method<O>,
  parse: (request: Uint8Array) => T,
  answer: (session: S, request: T) => Promise<MessageInitShape<O>>,
): RpcEntry<S> {
  return [
    pathOf(method),
    (session) => ({
      kind: "unary",
      answer: async (bytes) => encodeMessage(method.output, await answer(session, parse(bytes))),
    }),
  ];
}

export function serverStream<S, T, O extends DescMessage>(
  method: Method<O>,
  parse: (request: Uint8Array) => T,
  answer: (session: S, request: T, signal: AbortSignal) => AsyncIterable<MessageInitShape<O>>,
): RpcEntry<S> {
  return [
    pathOf(method),
    (session) => ({
      kind: "server-stream",
      async *answer(bytes, signal) {
        for await (const message of answer(session, parse(bytes), signal)) {
          yield encodeMessage(method.output, message);
        }
      },
    }),
  ];
}

export function duplex<S, T, O extends DescMessage>(
  method: Method<O>,
  parse: (request: Uint8Array) => T,
  answer: (
    session: S,
    requests: AsyncIterable<T>,
    signal: AbortSignal,
  ) => AsyncIterable<MessageInitShape<O>>,
): RpcEntry<S> {
  return [
    pathOf(method),
    (session) => ({
      kind: "duplex",
      async *answer(requests, signal) {
        for await (const message of answer(session, parseAll(parse, requests), signal)) {
          yield encodeMessage(method.output, message);
        }
      },
    }),
  ];
}

async function* parseAll<T>(
  parse: (request: Uint8Array) => T,
  requests: AsyncIterable<Uint8Array>,
): AsyncGenerator<T, void, undefined> {
  for await (const bytes of requests) yield parse(bytes);
}

function pathOf(method: Method<DescMessage>): string {
  return `/${method.parent.typeName}/${method.name}`;
}
