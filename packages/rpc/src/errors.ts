/**
 * A failed RPC (docs/protocol/rpc.md §3.5). A handler throws it to answer its caller with this code and text; the
 * caller of such an RPC receives it. Code 12 means that the responder does not know the RPC.
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

/** The session, or the stream of the call, ended before the answer arrived. */
export class SessionClosedError extends Error {
  override readonly name = "SessionClosedError";
  readonly code = "session-closed";
}
