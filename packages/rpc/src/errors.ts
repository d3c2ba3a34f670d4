/**
 * A failed RPC (docs/protocol/rpc.md §3.5): thrown by a handler to answer its caller with this code and text, and thrown
 * to the caller of an RPC that was so answered. Code 12 means that the responder does not know the RPC.
 */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code = "rpc-error";
  readonly rpcCode: number;

  constructor(message: string, rpcCode = 0) {
    super(message);
    this.rpcCode = rpcCode;
  }
}

/** The session, or the stream of the call, ended before the answer came. */
export class SessionClosedError extends Error {
  override readonly name = "SessionClosedError";
  readonly code = "session-closed";
}
