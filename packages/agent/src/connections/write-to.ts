import type { Writable } from "node:stream";

import { ConnectionError } from "./errors.ts";

/**
 * Writes bytes, which must not change, and waits until the stream takes more. Rejects with `ConnectionError` "closed" when
 * it never will, and with the signal's reason.
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
  return new ConnectionError("closed", "the connection is closed", { cause });
}
