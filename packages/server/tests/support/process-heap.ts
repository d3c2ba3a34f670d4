import { once } from "node:events";

import type { ServerProcess } from "@slipway/testkit";
import WebSocket from "ws";

/** The settings of a server process whose heap is measured. */
export const measuredHeap = { NODE_OPTIONS: "--inspect=127.0.0.1:0 --expose-gc" } as const;

/** Collects the garbage of a server process with `measuredHeap`; resolves to the bytes that its heap then has in use. */
export async function heapBytes(server: Pick<ServerProcess, "output">): Promise<number> {
  const url = /Debugger listening on (ws:\S+)/.exec(server.output())?.[1];
  if (url === undefined) throw new Error("the server announces no inspector");
  const socket = new WebSocket(url);
  await once(socket, "open");
  const expression = "gc(); gc(); process.memoryUsage().heapUsed";
  socket.send(JSON.stringify({ id: 1, method: "Runtime.evaluate", params: { expression } }));
  const [answer] = await once(socket, "message");
  socket.terminate();
  return JSON.parse(String(answer)).result.result.value;
}
