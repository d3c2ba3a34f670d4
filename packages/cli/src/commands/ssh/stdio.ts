import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";

import { copyTo } from "../../terminal/copy-to.ts";
import type { RawTerminal } from "../../terminal/raw-terminal.ts";

/**
 * Carries the bytes of a connection on stdin and stdout, for OpenSSH's ProxyCommand; resolves when the other end has ended
 * and everything is written. The end of stdin ends our direction only.
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
