import type { Duplex } from "node:stream";
import { finished } from "node:stream/promises";

import { BurstTimer, type Clock } from "@slipway/runtime";

import { messageBytes, type PeerSocket } from "../../platform/http/peer-socket.ts";

/** The time for an agent to end a terminal's connection, or to take the last input. */
const endTimeoutMs = 5_000;
/** The output that may wait for a viewer to read; more waits in the agent. */
const maxUnsentBytes = 256 * 1024;

/**
 * Carries bytes between a viewer's WebSocket and an agent until either ends; owns the stream. Neither side is read
 * faster than the other accepts. Throws the stream's error if the agent is lost. The socket must be paused.
 */
export async function bridgeTerminal(
  socket: PeerSocket,
  stream: Duplex,
  clock: Clock,
): Promise<void> {
  const { raw, signal } = socket;
  const end = (): void => {
    stream.resume();
    endSoon(stream);
  };
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
    await sendOutput(socket, stream, clock);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", end);
    // A viewer that is still typing gets an answer to its close.
    raw.resume();
    end();
  }
}

/**
 * Sends the output of a stream to a viewer, joined in bursts: every message costs both sides as much as some kilobytes.
 * Resolves at the end of the stream.
 */
async function sendOutput(
  { raw, signal }: PeerSocket,
  stream: Duplex,
  clock: Clock,
): Promise<void> {
  let unsentBytes = 0;
  const pieces: Uint8Array[] = [];
  const deliver = (): void => {
    const bytes = Buffer.concat(pieces.splice(0));
    unsentBytes += bytes.length;
    if (unsentBytes > maxUnsentBytes) stream.pause();
    // Called when the kernel has taken it, so that a slow viewer slows the agent; or the socket is gone.
    raw.send(bytes, { binary: true }, () => {
      unsentBytes -= bytes.length;
      if (unsentBytes <= maxUnsentBytes) stream.resume();
    });
  };
  const burst = new BurstTimer({ clock, signal, deliver });
  stream.on("data", (chunk: Uint8Array) => {
    // Output that no one sees is still read, so that the agent ends in order.
    if (signal.aborted) return;
    pieces.push(chunk);
    burst.add(chunk.length);
  });
  try {
    await finished(stream, { writable: false });
  } finally {
    if (!signal.aborted) burst.flush();
  }
}

/** Ends a stream in order, and destroys it if the other end does not follow in time. */
function endSoon(stream: Duplex): void {
  if (stream.destroyed || stream.writableEnded) return;
  stream.end();
  const timer = setTimeout(() => stream.destroy(), endTimeoutMs);
  stream.once("close", () => clearTimeout(timer));
}
