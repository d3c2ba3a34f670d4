import { errorText, type Logger } from "@slipway/runtime";
import type { RawData, WebSocket } from "ws";

/** The server's end of a WebSocket. `signal` is aborted when the peer is gone or the socket closes. */
export interface PeerSocket {
  readonly signal: AbortSignal;
  readonly raw: WebSocket;
  /** Sends one text message; resolves when it was handed to the kernel, so a slow reader slows the writer. */
  sendText(text: string): Promise<void>;
  close(code: number, reason: string): void;
}

/** Both sides look each other up this often; a peer that misses one answer is gone (docs/protocol/rest.md §1.9). */
export const pingIntervalMs = 15_000;
/** A peer that sends pings while it leaves more than this unread, in bytes, is cut off. */
const maxUnreadPongBytes = 2 * 1024 * 1024;
/** A close that the peer does not answer is forced after this long. */
const closeTimeoutMs = 5_000;

/** Lends a socket to `serve`; closes it with 1000 when that ends, with 1011 when it fails. */
export async function openPeerSocket(
  socket: WebSocket,
  logger: Logger,
  serve: (peer: PeerSocket) => Promise<void>,
): Promise<void> {
  const gone = new AbortController();
  socket.on("close", () => gone.abort(new DOMException("socket closed", "AbortError")));
  // The plug-in's listener keeps the request for as long as the socket lives.
  socket.removeAllListeners("error");
  // `ws` has closed it with the code that fits.
  socket.on("error", () => closeSocket(socket, 1011, ""));
  // Each ping is answered, whether the peer reads or not.
  socket.on("ping", () => {
    if (socket.bufferedAmount > maxUnreadPongBytes) socket.terminate();
  });
  const peer: PeerSocket = {
    signal: gone.signal,
    raw: socket,
    sendText: (text) => send(socket, text),
    close: (code, reason) => closeSocket(socket, code, reason),
  };
  try {
    await serve(peer);
    peer.close(1000, "");
  } catch (error) {
    if (!gone.signal.aborted) logger.warn({ error: errorText(error) }, "serving a socket failed");
    peer.close(1011, errorText(error).slice(0, 120));
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

/** Sends WebSocket pings; closes with 1001 when one stays unanswered. For one-way streams. */
export function keepAlive(peer: PeerSocket): void {
  let answered = true;
  peer.raw.on("pong", () => {
    answered = true;
  });
  const timer = setInterval(() => {
    if (!answered) return peer.close(1001, "liveness probe failed");
    answered = false;
    peer.raw.ping();
  }, pingIntervalMs);
  peer.signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

/** A client that speaks on a one-way stream is closed with `code` (docs/protocol/rest.md §1.9). */
export function refuseMessages(peer: PeerSocket, code: number, reason: string): void {
  peer.raw.once("message", () => peer.close(code, reason));
}

/** The bytes of a message, without a copy where `ws` allows. */
export function messageBytes(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
