import type { Duplex } from "node:stream";

import { messageBytes, type PeerSocket } from "../../platform/http/peer-socket.ts";

/** The time for an agent to end a terminal's connection, or to take what was typed last. */
const endTimeoutMs = 5_000;

/**
 * Carries bytes between a viewer's WebSocket and an agent until either ends; owns the stream. Nobody is read faster than
 * the other one takes it. Throws the stream's error if the agent is lost. The socket must be paused.
 */
export async function bridgeTerminal(socket: PeerSocket, stream: Duplex): Promise<void> {
  const { raw, signal } = socket;
  const end = (): void => endSoon(stream);
  raw.on("message", (data, isBinary) => {
    if (!isBinary) return socket.close(1003, "binary messages only");
    if (!stream.writable) return undefined;
    if (!stream.write(messageBytes(data))) raw.pause();
    return undefined;
  });
  stream.on("drain", () => raw.resume());
  stream.on("error", () => raw.resume());
  if (signal.aborted) end();
  else signal.addEventListener("abort", end, { once: true });
  raw.resume();
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
      // What nobody sees is still read, so that the agent ends in order.
      if (!signal.aborted) await send(socket, chunk);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", end);
    // Whoever still types gets an answer to their close.
    raw.resume();
    end();
  }
}

/** Resolves when the bytes are handed to the kernel, so that a slow viewer slows the agent. */
function send({ raw }: PeerSocket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    raw.send(bytes, { binary: true }, (error) =>
      error === undefined || error === null ? resolve() : reject(error),
    );
  });
}

/** Ends a stream in order, or at once if the other end does not. */
function endSoon(stream: Duplex): void {
  if (stream.destroyed || stream.writableEnded) return;
  stream.end();
  const timer = setTimeout(() => stream.destroy(), endTimeoutMs);
  stream.once("close", () => clearTimeout(timer));
}
