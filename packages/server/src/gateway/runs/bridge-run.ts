import { once } from "node:events";

import { printableLine } from "@slipway/runtime";
import type { RawData, WebSocket } from "ws";

import { messageBytes, type PeerSocket } from "../../platform/http/peer-socket.ts";

/** The bytes that may wait for either end to read; more waits at the other end. */
const maxUnsentBytes = 256 * 1024;
/** The time for an agent to answer the close of its socket. */
const closeTimeoutMs = 5_000;
/** The codes of an agent's close that its caller gets; any other means that the agent was lost. */
const passedCodes: ReadonlySet<number> = new Set([1000, 1003, 1008, 1009]);

/**
 * Carries messages between a caller and an agent until either ends; owns the agent's socket. Neither side is read faster
 * than the other accepts. The messages are for these two: the server does not look into them. Both sockets must be paused.
 */
export async function bridgeRun(peer: PeerSocket, agent: WebSocket): Promise<void> {
  const { raw, signal } = peer;
  // The close says what failed.
  agent.on("error", () => undefined);
  pass(raw, agent);
  pass(agent, raw);
  const leave = (): void => {
    agent.close(1000);
    setTimeout(() => agent.terminate(), closeTimeoutMs).unref();
  };
  if (signal.aborted) leave();
  else signal.addEventListener("abort", leave, { once: true });
  const ended = once(agent, "close");
  raw.resume();
  agent.resume();
  try {
    const [code, reason] = await ended;
    if (signal.aborted) return;
    if (passedCodes.has(code)) peer.close(code, printableLine(String(reason)));
    else peer.close(1012, "agent lost");
  } finally {
    signal.removeEventListener("abort", leave);
  }
}

/** Passes binary messages on, and stops reading while too much is unread at the other end. */
function pass(from: WebSocket, to: WebSocket): void {
  let unsentBytes = 0;
  from.on("message", (data: RawData, isBinary: boolean) => {
    if (!isBinary) return from.close(1003, "binary messages only");
    if (to.readyState !== to.OPEN) return undefined;
    const bytes = messageBytes(data);
    unsentBytes += bytes.length;
    if (unsentBytes > maxUnsentBytes) from.pause();
    to.send(bytes, { binary: true }, () => {
      unsentBytes -= bytes.length;
      if (unsentBytes <= maxUnsentBytes && from.isPaused) from.resume();
    });
    return undefined;
  });
}
