import {
  type DescMessage,
  encodeMessage,
  type MessageInitShape,
  type MessageShape,
  parseKnownFields,
} from "@slipway/wire";

/** An RPC that is refused: its code and text are what the caller gets (`rpc.md` section 3.5). */
export class RpcFailure extends Error {
  override readonly name = "RpcFailure";
  readonly code = "rpc-failure";
  readonly rpcCode: number;

  constructor(message: string, rpcCode = 0) {
    super(message);
    this.rpcCode = rpcCode;
  }
}

/** How one RPC is answered, on bytes; made by `unary`, `serverStream` and `duplex`. */
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

/** RPCs by path, for all sessions of a kind: what a session has of its own is handed in when it is called. */
export type RpcTable<S> = ReadonlyMap<string, (session: S) => RpcHandler>;

/** The RPCs of one session; a handler is made when it is called, as a session that waits must cost little. */
export function handlersOf<S>(table: RpcTable<S>, session: S): RpcHandlers {
  return { get: (path) => table.get(path)?.(session) };
}

/** A method of a generated service, as far as it matters here. */
interface Method<I extends DescMessage, O extends DescMessage> {
  readonly name: string;
  readonly parent: { readonly typeName: string };
  readonly input: I;
  readonly output: O;
}

type Entry<S> = readonly [path: string, handler: (session: S) => RpcHandler];

export function unary<S, I extends DescMessage, O extends DescMessage>(
  method: Method<I, O>,
  answer: (session: S, request: MessageShape<I>) => Promise<MessageInitShape<O>>,
): Entry<S> {
  return unaryParsed(method, (bytes) => parseKnownFields(method.input, bytes), answer);
}

/** Of a request that is read by a parser of its own. */
export function unaryParsed<S, T, O extends DescMessage>(
  method: Method<DescMessage, O>,
  parse: (request: Uint8Array) => T,
  answer: (session: S, request: T) => Promise<MessageInitShape<O>>,
): Entry<S> {
  return [
    pathOf(method),
    (session) => ({
      kind: "unary",
      answer: async (bytes) => encodeMessage(method.output, await answer(session, parse(bytes))),
    }),
  ];
}

export function serverStream<S, I extends DescMessage, O extends DescMessage>(
  method: Method<I, O>,
  answer: (
    session: S,
    request: MessageShape<I>,
    signal: AbortSignal,
  ) => AsyncIterable<MessageInitShape<O>>,
): Entry<S> {
  return [
    pathOf(method),
    (session) => ({
      kind: "server-stream",
      async *answer(bytes, signal) {
        for await (const message of answer(
          session,
          parseKnownFields(method.input, bytes),
          signal,
        )) {
          yield encodeMessage(method.output, message);
        }
      },
    }),
  ];
}

export function duplex<S, I extends DescMessage, O extends DescMessage>(
  method: Method<I, O>,
  answer: (
    session: S,
    requests: AsyncIterable<MessageShape<I>>,
    signal: AbortSignal,
  ) => AsyncIterable<MessageInitShape<O>>,
): Entry<S> {
  return [
    pathOf(method),
    (session) => ({
      kind: "duplex",
      async *answer(requests, signal) {
        for await (const message of answer(session, parseAll(method.input, requests), signal)) {
          yield encodeMessage(method.output, message);
        }
      },
    }),
  ];
}

async function* parseAll<I extends DescMessage>(
  schema: I,
  requests: AsyncIterable<Uint8Array>,
): AsyncGenerator<MessageShape<I>, void, undefined> {
  for await (const bytes of requests) yield parseKnownFields(schema, bytes);
}

function pathOf(method: Method<DescMessage, DescMessage>): string {
  return `/${method.parent.typeName}/${method.name}`;
}
