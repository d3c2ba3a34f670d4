import { RpcError, SessionClosedError } from "@slipway/rpc";
import { abortable } from "@slipway/runtime";
import type { AgentConnection } from "@slipway/sdk/agent";
import { drpcCodeUnimplemented } from "@slipway/wire/drpc/rpc-error";
import type {
  DescMessage,
  MessageInitShape,
  MessageShape,
} from "@slipway/wire/protobuf/descriptors";
import { rpcPath } from "@slipway/wire/protobuf/descriptors";
import { encodeMessage, parseMessage } from "@slipway/wire/protobuf/message";

type UnaryMethod<I extends DescMessage, O extends DescMessage> = Parameters<typeof rpcPath>[0] & {
  readonly methodKind: "unary";
  readonly input: I;
  readonly output: O;
};

type Handler = (input: Uint8Array) => Promise<Uint8Array>;

/** One end of an in-memory session; the test may drop it at any time. */
export interface ScriptedConnection extends AgentConnection {
  lose(reason: string): void;
}

/** An in-memory server: answers the calls that it was given, and treats all others as unknown. */
export class ScriptedServer {
  readonly #handlers = new Map<string, Handler>();
  readonly connections: ScriptedConnection[] = [];
  /** Names of the methods that were called, in order. */
  readonly called: string[] = [];

  on<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    answer: (input: MessageShape<I>) => MessageInitShape<O> | Promise<MessageInitShape<O>>,
  ): void {
    this.#handlers.set(rpcPath(method), async (input) =>
      encodeMessage(method.output, await answer(parseMessage(method.input, input))),
    );
  }

  /** Answers one call by the path of its method. */
  async answer(path: string, input: Uint8Array): Promise<Uint8Array> {
    this.called.push(path.slice(path.lastIndexOf("/") + 1));
    const handler = this.#handlers.get(path);
    if (handler === undefined) throw new RpcError("unknown rpc", drpcCodeUnimplemented);
    return handler(input);
  }

  connect(): ScriptedConnection {
    const closed = Promise.withResolvers<string>();
    const lost = closed.promise.then((reason): never => {
      throw new SessionClosedError(reason);
    });
    lost.catch(() => undefined);
    const connection: ScriptedConnection = {
      apiVersion: "2.10",
      closed: closed.promise,
      unary: async (method, input, signal) => {
        const answer = this.answer(rpcPath(method), encodeMessage(method.input, input));
        const bytes = await abortable(Promise.race([answer, lost]), signal);
        return parseMessage(method.output, bytes);
      },
      serverStream: () => {
        throw new Error("not scripted");
      },
      duplex: () => {
        throw new Error("not scripted");
      },
      lose: (reason) => closed.resolve(reason),
      close: async () => closed.resolve("closed"),
      [Symbol.asyncDispose]: async () => closed.resolve("closed"),
    };
    this.connections.push(connection);
    return connection;
  }
}
