import type { RawSocket, RpcSocket } from "@slipway/rpc";

/** The bytes that a socket may hold before its sender waits, and the interval at which it checks again. */
const maxBufferedBytes = 256 * 1024;
const bufferCheckMs = 5;

/** Lends a browser's open WebSocket to a session. A browser never stops reading, so messages wait here while paused. */
export function rpcSocketOf(socket: WebSocket): RpcSocket {
  const gone = new AbortController();
  socket.addEventListener("close", ({ code, reason }) =>
    gone.abort(new Error(`socket closed with ${String(code)} ${reason}`.trim())),
  );
  return {
    raw: rawSocketOf(socket),
    signal: gone.signal,
    close: (code, reason) => {
      // Pages may close with 1000 and from 3000 on only.
      socket.close(code === 1000 || code >= 3000 ? code : 1000, reason);
    },
  };
}

function rawSocketOf(socket: WebSocket): RawSocket {
  const listeners: ((data: ArrayBuffer, isBinary: boolean) => void)[] = [];
  let waiting: ArrayBuffer[] = [];
  let isPaused = true;
  const deliver = (data: ArrayBuffer): void => {
    for (const listener of listeners) listener(data, true);
  };
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }: { readonly data: unknown }) => {
    if (!(data instanceof ArrayBuffer)) socket.close(3003, "binary messages only");
    else if (isPaused) waiting.push(data);
    else deliver(data);
  });
  return {
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    get isPaused() {
      return isPaused;
    },
    pause: () => {
      isPaused = true;
    },
    resume: () => {
      isPaused = false;
      const messages = waiting;
      waiting = [];
      for (const data of messages) deliver(data);
    },
    send: (bytes, onSent) => {
      if (socket.readyState !== WebSocket.OPEN) return;
      socket.send(bytes.slice());
      whenTaken(socket, onSent);
    },
    on: (_, listener) => listeners.push(listener),
  };
}

/** Calls `onSent` once the socket holds less than its limit, which is usually immediately. */
function whenTaken(socket: WebSocket, onSent: () => void): void {
  if (socket.bufferedAmount < maxBufferedBytes) queueMicrotask(onSent);
  else if (socket.readyState === WebSocket.OPEN) {
    setTimeout(() => whenTaken(socket, onSent), bufferCheckMs);
  }
}
