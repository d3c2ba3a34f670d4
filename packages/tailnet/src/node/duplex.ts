import { Duplex } from "node:stream";

import type { TcpStream } from "../stack/tcp-stream.ts";

/**
 * Returns a connection as a duplex stream, which owns it from then on. Each direction ends by itself; back-pressure
 * reaches the peer. Destroying the stream before both have ended resets the connection.
 */
export function toDuplex(stream: TcpStream): Duplex {
  const ended = new AbortController();
  let isPeerFinished = false;

  async function readNext(): Promise<Buffer | null> {
    const bytes = await stream.read(ended.signal);
    if (bytes !== undefined) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    isPeerFinished = true;
    return null;
  }

  async function writeAll(chunks: readonly Uint8Array[]): Promise<void> {
    for (const chunk of chunks) await stream.write(chunk, ended.signal);
  }

  return new Duplex({
    read() {
      readNext().then(
        (bytes) => this.push(bytes),
        (error: unknown) => this.destroy(toError(error)),
      );
    },
    write(chunk: Uint8Array, _, done) {
      stream.write(chunk, ended.signal).then(() => done(), done);
    },
    writev(writes, done) {
      writeAll(writes.map(({ chunk }) => asBytes(chunk))).then(() => done(), done);
    },
    final(done) {
      stream.finish();
      done();
    },
    destroy(error, done) {
      const isOver = error === null && isPeerFinished && this.writableFinished;
      if (isOver) stream.close();
      else stream.abort();
      ended.abort(error ?? new Error("the stream was destroyed"));
      done(error);
    },
  });
}

/** Strings have become buffers by then: `decodeStrings` is on. */
function asBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new TypeError(`unsupported chunk: got ${typeof chunk}, want bytes`);
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
