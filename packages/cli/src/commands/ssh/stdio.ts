import { once } from "node:events";
import type { Duplex, Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { abortable } from "@slipway/runtime";

import type { RawTerminal } from "../../terminal/terminal.ts";

/**
 * Carries the bytes of a connection on stdin and stdout, for OpenSSH's ProxyCommand; resolves when the other end has
 * ended and everything is written. The end of stdin ends only our direction.
 */
export async function carryBytes(
  remote: Duplex,
  { input, output }: Pick<RawTerminal, "input" | "output">,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const typed = pipeline(input, remote, { signal: AbortSignal.any([signal, over.signal]) });
  // A failure of the connection ends the other direction too, which reports it.
  typed.catch(() => undefined);
  try {
    await copyTo(output, remote, signal);
  } finally {
    over.abort();
    remote.destroy();
  }
}

/**
 * Writes all data of `source` to stdout or stderr, at their pace, and leaves them open. Rejects with the error of
 * either, and the signal's reason.
 */
export async function copyTo(sink: Writable, source: Readable, signal: AbortSignal): Promise<void> {
  const copy = async (): Promise<void> => {
    for await (const chunk of source) {
      if (!sink.write(chunk)) await once(sink, "drain", { signal });
    }
  };
  await abortable(copy(), signal);
}
