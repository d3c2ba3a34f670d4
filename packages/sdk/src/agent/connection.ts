import type {
  DescMessage,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@slipway/wire/protobuf/descriptors";

/**
 * One live session of an agent with a server: calls of the Agent and the Tailnet service, any number at once.
 *
 * Every call rejects with `RpcError` for an error answer, `SessionClosedError` when the session ends first, and the
 * reason of its signal. Its opener closes the connection.
 */
export interface AgentConnection extends AsyncDisposable {
  /** The API version that the server accepted, such as `2.10`. */
  readonly apiVersion: string;
  /** Settled with a text for the log once the session is over, for any reason; never rejects. */
  readonly closed: Promise<string>;

  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    signal: AbortSignal,
  ): Promise<MessageShape<O>>;

  serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    input: MessageInitShape<I>,
    signal: AbortSignal,
  ): AsyncIterable<MessageShape<O>>;

  /** Sends each request as it comes; the call ends when the server ends it. */
  duplex<I extends DescMessage, O extends DescMessage>(
    method: DescMethodBiDiStreaming<I, O>,
    requests: AsyncIterable<MessageInitShape<I>>,
    signal: AbortSignal,
  ): AsyncIterable<MessageShape<O>>;

  /** Ends the session at once; idempotent. */
  close(): Promise<void>;
}
