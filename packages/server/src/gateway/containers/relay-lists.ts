import { type Clock, Waiters } from "@slipway/runtime";
import type { RawData, WebSocket } from "ws";

import { messageBytes, type PeerSocket } from "../../platform/http/peer-socket.ts";
import { parseContainerList } from "./container-list.ts";

/** The least time between two lists: parsing one takes time, and an agent may send as many as it likes. */
const minIntervalMs = 1_000;

/**
 * Passes on the lists of an agent until either side closes its socket. Only the newest of several that arrive together
 * counts. Rejects if a list is malformed. The agent's socket is paused at first, and closed at the end.
 */
export async function relayLists(
  agent: WebSocket,
  socket: Pick<PeerSocket, "signal" | "sendText">,
  clock: Pick<Clock, "sleep">,
): Promise<void> {
  const ended = new AbortController();
  const signal = AbortSignal.any([ended.signal, socket.signal]);
  const arrived = new Waiters();
  let newest: RawData | undefined;
  agent.on("message", (data) => {
    newest = data;
    agent.pause();
    arrived.wakeAll();
  });
  agent.on("close", () => ended.abort());
  agent.on("error", () => ended.abort());
  if (agent.readyState !== agent.OPEN) ended.abort();
  try {
    while (!signal.aborted || newest !== undefined) {
      if (newest === undefined) {
        const next = arrived.next(signal);
        agent.resume();
        await next;
        continue;
      }
      const data = newest;
      newest = undefined;
      const text = Buffer.from(messageBytes(data)).toString();
      await socket.sendText(JSON.stringify(parseContainerList(JSON.parse(text))));
      if (!signal.aborted) await clock.sleep(minIntervalMs, signal).catch(() => undefined);
    }
  } finally {
    agent.terminate();
  }
}
