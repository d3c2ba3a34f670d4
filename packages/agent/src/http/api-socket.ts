import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

import { errorText, type Logger } from "@slipway/runtime";
import { type WebSocket, WebSocketServer } from "ws";

/** The agent's end of a WebSocket. */
export interface ApiSocket {
  readonly raw: WebSocket;
  /** Aborted when the socket closes. */
  readonly signal: AbortSignal;
  /** Sends a message; resolves when it has been handed on, so that a slow reader slows the writer. */
  send(data: string | Uint8Array): Promise<void>;
  /** Starts the closing handshake. Only the first call counts. */
  close(code: number, reason: string): void;
}

interface ServedSocket {
  readonly request: IncomingMessage;
  readonly connection: Duplex;
  readonly head: Buffer;
  readonly maxMessageBytes: number;
  readonly serve: (socket: ApiSocket) => Promise<void>;
  readonly logger: Logger;
}

/** The interval of pings; a peer that misses one answer is disconnected (docs/protocol/agent.md §8.6). */
const pingMs = 15_000;
/** The time after which an unanswered close is forced. */
const closeTimeoutMs = 5_000;
/** The maximum length of the reason for a close, in bytes (RFC 6455 §5.5). */
const maxReasonBytes = 123;
/** The maximum number of parts of a message. */
const maxFragments = 1_024;

/** Completes an upgrade and serves the socket; closes it with 1000 when that is done, and with 1011 if it fails. */
export function serveSocket(served: ServedSocket): void {
  const { request, connection, head, maxMessageBytes: maxPayload } = served;
  const options = { noServer: true, maxPayload, maxFragments, perMessageDeflate: false } as const;
  new WebSocketServer(options).handleUpgrade(
    request,
    connection,
    head,
    (socket) => void run(socket, served),
  );
}

async function run(raw: WebSocket, { serve, logger, request }: ServedSocket): Promise<void> {
  const closed = new AbortController();
  raw.on("close", () => closed.abort(new DOMException("connection closed", "AbortError")));
  // `ws` has already begun to close it.
  raw.on("error", () => undefined);
  pingUntil(closed.signal, raw);
  const socket: ApiSocket = {
    raw,
    signal: closed.signal,
    send: (data) => send(raw, data),
    close: (code, reason) => close(raw, code, reason),
  };
  try {
    await serve(socket);
    socket.close(1000, "");
  } catch (error) {
    if (!closed.signal.aborted) {
      logger.warn({ error: errorText(error), path: request.url }, "socket failed");
    }
    socket.close(1011, errorText(error));
  }
}

function send(raw: WebSocket, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    raw.send(data, (error) => (error instanceof Error ? reject(error) : resolve()));
  });
}

function close(raw: WebSocket, code: number, reason: string): void {
  if (raw.readyState !== raw.OPEN) return;
  raw.close(
    code,
    Buffer.from(reason)
      .subarray(0, maxReasonBytes)
      .toString()
      .replace(/\uFFFD+$/, ""),
  );
  const timer = setTimeout(() => raw.terminate(), closeTimeoutMs);
  raw.once("close", () => clearTimeout(timer));
}

/** A paused socket is not expected to answer. */
function pingUntil(signal: AbortSignal, raw: WebSocket): void {
  let isAnswered = true;
  raw.on("pong", () => {
    isAnswered = true;
  });
  const timer = setInterval(() => {
    if (!isAnswered && !raw.isPaused) return raw.terminate();
    isAnswered = false;
    raw.ping();
  }, pingMs);
  timer.unref();
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}
