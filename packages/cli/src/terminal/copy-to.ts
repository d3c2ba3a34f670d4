import { once } from "node:events";
import type { Readable, Writable } from "node:stream";

import { abortable } from "@slipway/runtime";

/**
 * Writes everything that `source` has to stdout or stderr, at their pace, which stay open. Rejects with the error of
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
