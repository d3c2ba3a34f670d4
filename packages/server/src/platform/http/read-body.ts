import type { Readable } from "node:stream";

import type { Clock, UnfinishedBytes } from "@slipway/runtime";

import { HttpError } from "./errors.ts";

interface BodyReading {
  readonly maxBytes: number;
  /** Counts what has arrived of a body until it is complete. */
  readonly unfinished: UnfinishedBytes;
  /** The owner of these bytes. */
  readonly owner: string;
  readonly clock: Pick<Clock, "monotonic">;
}

/** Reads a body. Rejects with a 413 if it is larger than allowed, by what its header says if that tells. */
export async function readBody(
  payload: Readable,
  announcedBytes: number,
  { maxBytes, unfinished, owner, clock }: BodyReading,
): Promise<Buffer> {
  if (announcedBytes > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  using share = unfinished.open(owner, () => payload.destroy());
  let bytes = 0;
  const receive = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > maxBytes) return reject(tooLarge(maxBytes));
    chunks.push(chunk);
    return share.set(bytes, clock.monotonic());
  };
  const onClose = (): void => reject(new HttpError(499, "The client disconnected."));
  payload.on("data", receive);
  payload.once("end", () => resolve(undefined));
  payload.once("error", onClose);
  payload.once("close", onClose);
  try {
    await promise;
    return Buffer.concat(chunks);
  } finally {
    // The rest of a body that is too large is read and dropped until its connection closes.
    payload.off("data", receive);
    payload.resume();
  }
}

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(413, "Request body is too large.", {
    detail: `The body must have at most ${maxBytes} bytes.`,
    headers: { Connection: "close" },
  });
}
