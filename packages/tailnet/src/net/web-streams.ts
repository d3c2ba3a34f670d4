import type { TcpStream } from "../stack/tcp-stream.ts";

/** The two directions of a connection as web streams. */
export interface WebStreams {
  /** Ends with the peer's direction; canceling it ends the connection. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Closing it ends our direction only; aborting it ends the connection. */
  readonly writable: WritableStream<Uint8Array>;
}

/**
 * Returns a connection as web streams, which own it from then on. It is read only on demand, and a write resolves
 * once the connection has room for it. An error of the connection becomes the error of both streams.
 */
export function toWebStreams(stream: TcpStream): WebStreams {
  const ended = new AbortController();
  const end = (reason: unknown): void => {
    ended.abort(reason);
    stream.abort();
  };
  const readable = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const bytes = await stream.read(ended.signal);
        if (bytes === undefined) controller.close();
        else controller.enqueue(bytes);
      },
      cancel: end,
    },
    // A chunk read ahead would escape the connection's window.
    { highWaterMark: 0 },
  );
  const writable = new WritableStream<Uint8Array>({
    write: (bytes) => stream.write(bytes, ended.signal),
    close: () => stream.finish(),
    abort: end,
  });
  return { readable, writable };
}
