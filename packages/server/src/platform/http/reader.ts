import type { FastifyRequest } from "fastify";

/** Whoever waits for an answer that takes long. */
export interface Reader extends Disposable {
  /** Aborted when he is gone, also when he went before anybody looked. */
  readonly signal: AbortSignal;
}

/** Watches the connection of a request until the result is disposed of: the connection may carry others after it. */
export function watchReader({ raw: { socket } }: Pick<FastifyRequest, "raw">): Reader {
  const gone = new AbortController();
  const onClose = (): void => gone.abort(new DOMException("reader is gone", "AbortError"));
  // Who asks is looked up first, and a socket tells of its end once.
  if (socket.destroyed) onClose();
  else socket.once("close", onClose);
  return { signal: gone.signal, [Symbol.dispose]: () => void socket.off("close", onClose) };
}
