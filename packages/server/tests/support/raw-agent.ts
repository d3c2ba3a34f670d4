import { once } from "node:events";

import { type YamuxEvent, YamuxSession } from "@slipway/wire";
import { WebSocket } from "ws";

/** An agent's session whose bytes the test makes itself. */
export interface RawAgent extends AsyncDisposable {
  readonly socket: WebSocket;
  readonly yamux: YamuxSession;
  /** Everything that came, in order. */
  readonly events: readonly YamuxEvent[];
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  /** Sends what the session has to send. */
  flush(): void;
  /** Resolves when `isThere` says so of the events, or the socket has closed. */
  until(isThere: (events: readonly YamuxEvent[]) => boolean): Promise<void>;
}

export async function openRawAgent(url: string, token: string): Promise<RawAgent> {
  const address = `${url.replace("http", "ws")}/api/v2/workspaceagents/me/rpc?version=2.10`;
  const socket = new WebSocket(address, { headers: { "Coder-Session-Token": token } });
  const yamux = new YamuxSession("client", { maxQueuedBytes: 64 * 1024 * 1024 });
  const events: YamuxEvent[] = [];
  const closed = once(socket, "close").then(([code]) => Number(code));
  const flush = (): void => {
    const output = yamux.takeOutput();
    if (output !== undefined && socket.readyState === socket.OPEN) socket.send(output);
  };
  socket.on("message", (data: Buffer) => {
    events.push(...yamux.receive(data, 0));
    flush();
  });
  await once(socket, "open");
  return {
    socket,
    yamux,
    events,
    closed,
    flush,
    until: async (isThere) => {
      while (socket.readyState === socket.OPEN && !isThere(events)) {
        await Promise.race([once(socket, "message"), closed]);
      }
    },
    [Symbol.asyncDispose]: async () => {
      socket.terminate();
      await closed;
    },
  };
}
