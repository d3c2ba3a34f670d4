import { Mailbox } from "@slipway/runtime";

import { ConnectError } from "../http/errors.ts";
import { createWebSocket } from "./create-web-socket.ts";

/** The most messages that may wait for a slow reader before the socket is given up. */
const maxWaitingMessages = 4096;

/** The end of a socket: its close code and reason; 1006 when the connection just broke. */
export interface SocketEnd {
  readonly code: number;
  readonly reason: string;
}

export interface MessageSocket extends AsyncIterable<string> {
  /** Settled when the socket has closed; never rejects. */
  readonly ended: Promise<SocketEnd>;
  close(): void;
}

/** Opens a WebSocket of text messages. Rejects with `ConnectError`; iterating ends when the socket does. */
export async function openSocket(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<MessageSocket> {
  signal.throwIfAborted();
  const socket = createWebSocket(url, headers);
  const messages = new Mailbox<string>(maxWaitingMessages);
  const opened = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<SocketEnd>();
  const close = (): void => socket.close(1000);
  socket.addEventListener("open", () => opened.resolve());
  socket.addEventListener("message", (event) => {
    if (messages.offer(String(event.data)) === "full") socket.close(4000, "reader is too slow");
  });
  // An error is always followed by a close event.
  socket.addEventListener("close", (event) => {
    signal.removeEventListener("abort", close);
    opened.reject(new ConnectError(url, { cause: new Error(`socket closed with ${event.code}`) }));
    messages.close();
    ended.resolve({ code: event.code, reason: event.reason });
  });
  signal.addEventListener("abort", close, { once: true });
  await opened.promise;
  return {
    ended: ended.promise,
    close,
    [Symbol.asyncIterator]: () => messages[Symbol.asyncIterator](),
  };
}
