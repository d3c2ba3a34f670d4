import { Duplex } from "node:stream";

import type { TcpStream } from "../stack/tcp-stream.ts";

/**
 * Returns a connection as a duplex stream, which owns it from then on. Each direction ends separately; back-pressure
 * reaches the peer. Destroying the stream before both have ended resets the connection.
 */
export function toDuplex(stream: TcpStream): Duplex {
  const ended = new AbortController();
  let isPeerFinished = false;

  /** Delivers the next bytes as soon as they arrive. */
  function deliver(duplex: Duplex): void {
    if (duplex.destroyed) return;
    const bytes = readNow(stream);
    if (bytes === "later") void stream.changed().then(() => deliver(duplex));
    else if (bytes instanceof Error) duplex.destroy(bytes);
    else {
      isPeerFinished = bytes === undefined;
      duplex.push(bytes === undefined ? null : asBuffer(bytes));
    }
  }

  /** Writes as much as there is room for within the current turn. */
  function send(chunks: readonly Uint8Array[], done: (error?: Error | null) => void): void {
    try {
      for (const [index, chunk] of chunks.entries()) {
        const taken = stream.writeNow(chunk);
        if (taken === chunk.length) continue;
        const rest = [chunk.subarray(taken), ...chunks.slice(index + 1)];
        sendSlowly(rest).then(() => done(), done);
        return;
      }
    } catch (error) {
      done(toError(error));
      return;
    }
    done();
  }

  async function sendSlowly(chunks: readonly Uint8Array[]): Promise<void> {
    for (const chunk of chunks) await stream.write(chunk, ended.signal);
  }

  return new Duplex({
    read() {
      void settled.then(() => deliver(this));
    },
    write(chunk: Uint8Array, _, done) {
      send([chunk], done);
    },
    writev(writes, done) {
      send(
        writes.map(({ chunk }) => asBytes(chunk)),
        done,
      );
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

/**
 * A stream of Node.js delivers a chunk immediately, rather than in a later turn, if it is pushed outside of a read
 * call.
 */
const settled = Promise.resolve();

function readNow(stream: TcpStream): ReturnType<TcpStream["readNow"]> | Error {
  try {
    return stream.readNow();
  } catch (error) {
    return toError(error);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Strings have become buffers by then: `decodeStrings` is on. */
function asBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new TypeError(`unsupported chunk: got ${typeof chunk}, want bytes`);
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
