import { Mailbox } from "@slipway/runtime";

import type { CreateSocket } from "../http/client.ts";
import { AnswerError, ConnectError } from "../http/errors.ts";

/** The maximum numbers of messages and characters that wait for a slow reader before the socket is given up. */
const maxWaitingMessages = 4096;
const maxWaitingChars = 16 * 1024 * 1024;
/** The time for a server to open a socket. */
const openTimeoutMs = 30_000;

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

interface SocketOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly create?: CreateSocket;
}

/**
 * Opens a WebSocket of text messages. Rejects with `ConnectError`, even if the server merely takes longer than 30
 * seconds; iterating ends when the socket does, with `AnswerError` after an invalid message.
 */
export async function openSocket(
  url: string,
  { headers, signal, create = createWebSocket }: SocketOptions,
): Promise<MessageSocket> {
  signal.throwIfAborted();
  const socket = await create(url, headers);
  const messages = new Mailbox<string>(maxWaitingMessages);
  const opened = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<SocketEnd>();
  const close = (): void => socket.close(1000);
  const late = setTimeout(close, openTimeoutMs);
  let waitingChars = 0;
  socket.addEventListener("open", () => {
    clearTimeout(late);
    opened.resolve();
  });
  socket.addEventListener("message", (event) => {
    const text = String(event.data);
    waitingChars += text.length;
    const isFull = waitingChars > maxWaitingChars || messages.offer(text) === "full";
    if (isFull) socket.close(4000, "reader is too slow");
  });
  let violation: unknown;
  // An error is always followed by a close event.
  socket.addEventListener("error", (event) => {
    if (isViolation(event)) violation = new AnswerError(url, { cause: event.error });
  });
  socket.addEventListener("close", (event) => {
    clearTimeout(late);
    signal.removeEventListener("abort", close);
    opened.reject(new ConnectError(url, { cause: new Error(`socket closed with ${event.code}`) }));
    messages.close(violation);
    ended.resolve({ code: event.code, reason: event.reason });
  });
  signal.addEventListener("abort", close, { once: true });
  // It may have been aborted while the socket was created.
  if (signal.aborted) close();
  await opened.promise;
  return {
    ended: ended.promise,
    close,
    async *[Symbol.asyncIterator]() {
      for await (const text of messages) {
        waitingChars -= text.length;
        yield text;
      }
    },
  };
}

/** Returns whether a socket of Node.js failed because its server broke the protocol, or sent too large a message. */
function isViolation(event: Event): event is Event & { readonly error: Error } {
  const error: unknown = Reflect.get(event, "error");
  const code: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
  return typeof code === "string" && code.startsWith("WS_ERR_");
}

/** Node's WebSocket takes headers; a browser's sends its cookies instead. */
type SocketConstructor = new (
  url: string,
  options?: { readonly headers?: Readonly<Record<string, string>> },
) => WebSocket;

/** Creates a WebSocket to an `http` or `https` address. */
export function createWebSocket(url: string, headers: Readonly<Record<string, string>>): WebSocket {
  const address = url.replace(/^http/, "ws");
  // A browser takes an object in the place of the options for the name of a subprotocol.
  if (Object.keys(headers).length === 0) return new WebSocket(address);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types know the browser's form only
  const Constructor = WebSocket as unknown as SocketConstructor;
  return new Constructor(address, { headers });
}
