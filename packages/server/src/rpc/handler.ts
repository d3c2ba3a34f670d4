import {
  type DescMessage,
  encodeMessage,
  type MessageInitShape,
  type MessageShape,
  parseMessage,
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
export type RpcHandlers = ReadonlyMap<string, RpcHandler>;

/** A method of a generated service, as far as it matters here. */
interface Method<I extends DescMessage, O extends DescMessage> {
  readonly name: string;
  readonly parent: { readonly typeName: string };
  readonly input: I;
  readonly output: O;
}

type Entry = readonly [path: string, handler: RpcHandler];

export function unary<I extends DescMessage, O extends DescMessage>(
  method: Method<I, O>,
  answer: (request: MessageShape<I>, signal: AbortSignal) => Promise<MessageInitShape<O>>,
): Entry {
  return [
    pathOf(method),
    {
      kind: "unary",
      answer: async (bytes, signal) =>
        encodeMessage(method.output, await answer(parseMessage(method.input, bytes), signal)),
    },
  ];
}

export function serverStream<I extends DescMessage, O extends DescMessage>(
  method: Method<I, O>,
  answer: (request: MessageShape<I>, signal: AbortSignal) => AsyncIterable<MessageInitShape<O>>,
): Entry {
  return [
    pathOf(method),
    {
      kind: "server-stream",
      async *answer(bytes, signal) {
        for await (const message of answer(parseMessage(method.input, bytes), signal)) {
          yield encodeMessage(method.output, message);
        }
      },
    },
  ];
}

export function duplex<I extends DescMessage, O extends DescMessage>(
  method: Method<I, O>,
  answer: (
    requests: AsyncIterable<MessageShape<I>>,
    signal: AbortSignal,
  ) => AsyncIterable<MessageInitShape<O>>,
): Entry {
  return [
    pathOf(method),
    {
      kind: "duplex",
      async *answer(requests, signal) {
        for await (const message of answer(parseAll(method.input, requests), signal)) {
          yield encodeMessage(method.output, message);
        }
      },
    },
  ];
}

async function* parseAll<I extends DescMessage>(
  schema: I,
  requests: AsyncIterable<Uint8Array>,
): AsyncGenerator<MessageShape<I>, void, undefined> {
  for await (const bytes of requests) yield parseMessage(schema, bytes);
}

function pathOf(method: Method<DescMessage, DescMessage>): string {
  return `/${method.parent.typeName}/${method.name}`;
}
