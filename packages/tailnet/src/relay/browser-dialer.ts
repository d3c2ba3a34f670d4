import type { Clock } from "@slipway/runtime";
import { joinBytes } from "@slipway/wire/bytes/join";

import { type DerpNode, nodeUrl } from "./derp-map.ts";
import { RelayError } from "./errors.ts";
import type { FetchLatency, Latency } from "./region-latency.ts";
import type { RelayDialer, RelayReceiver, RelayStream } from "./relay-stream.ts";

/** The maximum size of a message; relays need not accept larger ones. */
const maxMessageBytes = 16 * 1024;
/** The bytes that a socket may buffer before the sender waits, and the interval of its checks. */
const maxBufferedBytes = 256 * 1024;
const bufferCheckMs = 5;

/** Returns the dialer of a browser, which has WebSockets only (docs/protocol/tailnet.md §4.3). */
export function createBrowserDialer(clock: Clock): RelayDialer {
  return {
    canUpgrade: false,
    dial: async (node, _transport, signal) => {
      const socket = new WebSocket(nodeUrl(node, "ws", "/derp"), "derp");
      socket.binaryType = "arraybuffer";
      try {
        await opened(socket, signal);
      } catch (error) {
        socket.close();
        throw error;
      }
      return streamOf(socket, clock);
    },
  };
}

/** Returns the latency check of a browser. `fetch` hides the address, so the family is assumed to be IPv4. */
export function createBrowserFetchLatency(clock: Pick<Clock, "monotonic">): FetchLatency {
  return (node, signal) => fetchLatency(clock, node, signal);
}

async function fetchLatency(
  clock: Pick<Clock, "monotonic">,
  node: DerpNode,
  signal: AbortSignal,
): Promise<Latency> {
  const startedAtMs = clock.monotonic();
  const url = nodeUrl(node, "http", "/derp/latency-check");
  const response = await fetch(url, { signal, cache: "no-store" });
  const latencyMs = clock.monotonic() - startedAtMs;
  await response.body?.cancel();
  if (!response.ok) {
    throw new RelayError("http", `latency check answered with ${String(response.status)}`, {
      status: response.status,
    });
  }
  return { latencyMs, family: "v4" };
}

function opened(socket: WebSocket, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const done = new AbortController();
  const options = { signal: done.signal };
  socket.addEventListener("open", () => resolve(), options);
  // A browser does not report the reason.
  const failed = (): void => reject(new RelayError("upgrade", "the WebSocket was not opened"));
  socket.addEventListener("error", failed, options);
  socket.addEventListener("close", failed, options);
  if (signal.aborted) reject(signal.reason);
  signal.addEventListener("abort", () => reject(signal.reason), options);
  return promise.finally(() => done.abort());
}

function streamOf(socket: WebSocket, clock: Clock): RelayStream {
  const closed = new AbortController();
  const early: Uint8Array[] = [];
  const keepEarly = ({ data }: MessageEvent): void => {
    if (data instanceof ArrayBuffer) early.push(new Uint8Array(data));
  };
  socket.addEventListener("message", keepEarly);
  const start = (receiver: RelayReceiver): void => {
    socket.removeEventListener("message", keepEarly);
    for (const chunk of early) receiver.receive(chunk);
    socket.addEventListener("message", ({ data }) => {
      if (data instanceof ArrayBuffer) receiver.receive(new Uint8Array(data));
      else socket.close();
    });
    const end = (): void => {
      if (closed.signal.aborted) return;
      closed.abort();
      receiver.closed(undefined);
    };
    socket.addEventListener("close", end);
    if (socket.readyState === WebSocket.CLOSED) end();
  };
  const send = (pieces: readonly Uint8Array[], sent: () => void): void => {
    const bytes = joinBytes(pieces);
    for (let at = 0; at < bytes.length; at += maxMessageBytes) {
      socket.send(bytes.subarray(at, at + maxMessageBytes));
    }
    void whenDrained(socket, clock, closed.signal).then((isDrained) => {
      if (isDrained) sent();
    });
  };
  return { start, send, end: () => socket.close(1000), destroy: () => socket.close() };
}

/** Waits until little is buffered; resolves to false if the socket closed. A socket has no event for it. */
async function whenDrained(socket: WebSocket, clock: Clock, closed: AbortSignal): Promise<boolean> {
  while (!closed.aborted && socket.bufferedAmount > maxBufferedBytes) {
    await clock.sleep(bufferCheckMs, closed).catch(() => undefined);
  }
  return !closed.aborted;
}
