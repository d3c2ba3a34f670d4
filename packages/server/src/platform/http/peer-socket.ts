import { errorText, type Logger } from "@slipway/runtime";
import type { RawData, WebSocket } from "ws";

/** The server's end of a WebSocket. `signal` is aborted when the peer disconnects or the socket closes. */
export interface PeerSocket {
  readonly signal: AbortSignal;
  readonly raw: WebSocket;
  /** True once the peer's end has closed or reset the connection, which a peer that is merely silent never does. */
  readonly isLeft: boolean;
  /** Sends one text message; resolves when it is handed to the kernel, so that a slow reader slows the writer. */
  sendText(text: string): Promise<void>;
  /** Starts the closing handshake. Only the first call counts. The peer may go on sending until it has answered. */
  close(code: number, reason: string): void;
}

/**
 * The interval at which both sides ping each other; a peer that misses one answer is gone (docs/protocol/rest.md §1.9).
 */
export const pingIntervalMs = 15_000;
/** The maximum number of unread bytes of a peer that sends pings; beyond it the peer is disconnected. */
const maxUnreadPongBytes = 2 * 1024 * 1024;
/** The time after which an unanswered close is forced. */
const closeTimeoutMs = 5_000;

/** Lends a socket to `serve`; closes it with 1000 when that returns, with 1011 when it fails. */
export async function openPeerSocket(
  socket: WebSocket,
  logger: Logger,
  serve: (peer: PeerSocket) => Promise<void>,
): Promise<void> {
  const peer = new OpenSocket(socket);
  try {
    await serve(peer);
    peer.close(1000, "");
  } catch (error) {
    // A peer that is about to disconnect can be sent nothing more.
    if (socket.readyState === socket.OPEN)
      logger.warn({ error: errorText(error) }, "socket handler failed");
    peer.close(1011, errorText(error).slice(0, 120));
  }
}

/** The reason of every socket's signal; shared, because each new error would record a stack that is never read. */
const connectionClosed = new DOMException("connection closed", "AbortError");

/** One of thousands: a class, because its methods take no memory. */
class OpenSocket implements PeerSocket {
  readonly raw: WebSocket;
  readonly #gone = new AbortController();
  #isClosing = false;
  #isLeft = false;

  constructor(socket: WebSocket) {
    this.raw = socket;
    socket.on("close", () => {
      this.#isLeft = !this.#isClosing;
      this.#gone.abort(connectionClosed);
    });
    // The plug-in's listener keeps the request for as long as the socket lives.
    socket.removeAllListeners("error");
    // `ws` has already closed it with the appropriate code.
    socket.on("error", () => this.close(1011, ""));
    // Each ping is answered, even if the peer does not read.
    socket.on("ping", () => {
      if (socket.bufferedAmount > maxUnreadPongBytes) socket.terminate();
    });
  }

  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  get isLeft(): boolean {
    return this.#isLeft;
  }

  sendText(text: string): Promise<void> {
    return send(this.raw, text);
  }

  close(code: number, reason: string): void {
    if (!this.#isClosing) closeSocket(this.raw, code, reason);
    this.#isClosing = true;
  }
}

function send(socket: WebSocket, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(data, (error) =>
      error === undefined || error === null ? resolve() : reject(error),
    );
  });
}

function closeSocket(socket: WebSocket, code: number, reason: string): void {
  if (socket.readyState === socket.CLOSED) return;
  socket.close(code, reason);
  const timer = setTimeout(() => socket.terminate(), closeTimeoutMs);
  socket.once("close", () => clearTimeout(timer));
}

/** Sends WebSocket pings; closes with 1001 when one is not answered. A paused socket is not expected to answer. */
export function keepAlive(peer: PeerSocket): void {
  let answered = true;
  peer.raw.on("pong", () => {
    answered = true;
  });
  const timer = setInterval(() => {
    if (!answered && !peer.raw.isPaused) return peer.close(1001, "liveness probe failed");
    answered = false;
    peer.raw.ping();
  }, pingIntervalMs);
  peer.signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

/** Closes a one-way stream with `code` if its client sends a message (docs/protocol/rest.md §1.9). */
export function refuseMessages(peer: PeerSocket, code: number, reason: string): void {
  peer.raw.once("message", () => peer.close(code, reason));
}

/** Returns the bytes of a message, without a copy if `ws` allows. */
export function messageBytes(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
