import { Caller } from "@slipway/rpc";
import type { Clock } from "@slipway/runtime";
import type {
  DescMessage,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@slipway/wire/protobuf/descriptors";

import { type AgentSocket, type AgentSocketOptions, openAgentSocket } from "./open-agent-socket.ts";

export interface DialOptions extends AgentSocketOptions {
  readonly clock: Clock;
}

/** Connects an agent to a server. Throws `DialError`, which names the rung of the ladder that failed. */
export async function dialAgent(options: DialOptions): Promise<AgentConnection> {
  return openSession(await openAgentSocket(options), options.clock);
}

/** Opens a session over a socket, and takes over the socket. */
export function openSession({ socket, apiVersion }: AgentSocket, clock: Clock): AgentConnection {
  const session = new Caller(socket, { apiVersion, clock });
  socket.raw.resume();
  return session;
}

/**
 * One live session of an agent with a server: calls of the Agent and the Tailnet service, any number at a time.
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

  /** Ends the session immediately; idempotent. */
  close(): Promise<void>;
}
