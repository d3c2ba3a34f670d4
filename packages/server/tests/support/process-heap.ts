import { once } from "node:events";

import WebSocket from "ws";

/** The settings of a process whose memory is measured. */
export const measuredHeap = { NODE_OPTIONS: "--inspect=127.0.0.1:0 --expose-gc" } as const;

interface MeasuredProcess {
  readonly output: () => string;
}

/** Collects the garbage of a process with `measuredHeap`; resolves to the bytes that its heap then has in use. */
export function heapBytes(measured: MeasuredProcess): Promise<number> {
  return bytesOf(measured, "heapUsed");
}

/** Collects the garbage of a process with `measuredHeap`; resolves to the bytes of its buffers, which are not in its heap. */
export function bufferBytes(measured: MeasuredProcess): Promise<number> {
  return bytesOf(measured, "arrayBuffers");
}

async function bytesOf(
  { output }: MeasuredProcess,
  name: keyof NodeJS.MemoryUsage,
): Promise<number> {
  const url = /Debugger listening on (ws:\S+)/.exec(output())?.[1];
  if (url === undefined) throw new Error("the process announces no inspector");
  const socket = new WebSocket(url);
  await once(socket, "open");
  const expression = `gc(); gc(); process.memoryUsage().${name}`;
  socket.send(JSON.stringify({ id: 1, method: "Runtime.evaluate", params: { expression } }));
  const [answer] = await once(socket, "message");
  socket.terminate();
  return JSON.parse(String(answer)).result.result.value;
}
