import type { FastifyRequest } from "fastify";

/** A client that waits for a slow answer. */
export interface WatchedClient extends Disposable {
  /** Aborted when the client disconnects, even if that was before anyone watched. */
  readonly signal: AbortSignal;
}

/** The reason of every such signal; shared, because each new error would record a stack that is never read. */
const disconnected = new DOMException("the client disconnected", "AbortError");

/** Watches the connection of a request until the result is disposed of: it may carry other requests later. */
export function watchClient({ raw: { socket } }: Pick<FastifyRequest, "raw">): WatchedClient {
  const gone = new AbortController();
  const onClose = (): void => gone.abort(disconnected);
  // The client may have left while it was authenticated, and a socket reports its end only once.
  if (socket.destroyed) onClose();
  else socket.once("close", onClose);
  return { signal: gone.signal, [Symbol.dispose]: () => void socket.off("close", onClose) };
}
