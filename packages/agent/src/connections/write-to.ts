import type { Writable } from "node:stream";

/**
 * Writes bytes, which must not change afterwards, and waits until the stream has room again. Rejects with `ConnectionError`
 * "closed" if it is closed first, and with the signal's reason.
 */
export async function writeTo(
  stream: Writable,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  if (stream.destroyed || stream.writableEnded) throw closed(undefined);
  if (stream.write(bytes)) return;
  await drained(stream, signal);
}

/** The peer has closed the connection. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  readonly code = "closed";
}

function drained(stream: Writable, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => (): void => {
      stream.off("drain", onDrain);
      stream.off("close", onClose);
      stream.off("error", onClose);
      signal.removeEventListener("abort", onAbort);
      act();
    };
    const onDrain = settle(resolve);
    const onClose = settle(() => reject(closed(stream.errored ?? undefined)));
    const onAbort = settle(() => reject(signal.reason));
    stream.on("drain", onDrain);
    stream.on("close", onClose);
    stream.on("error", onClose);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

function closed(cause: unknown): ConnectionError {
  return new ConnectionError("the connection is closed", { cause });
}
