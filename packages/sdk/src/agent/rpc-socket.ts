import type { RpcSocket } from "@slipway/rpc";
import type { WebSocket } from "ws";

/** The time after which an unanswered close is forced. */
const closeTimeoutMs = 2_000;

/** Lends an open socket to a session. */
export function rpcSocketOf(socket: WebSocket): RpcSocket {
  const gone = new AbortController();
  socket.on("close", (code, reason) =>
    gone.abort(new Error(`socket closed with ${code} ${reason.toString()}`.trim())),
  );
  socket.on("error", (error) => gone.abort(error));
  return {
    raw: socket,
    signal: gone.signal,
    close: (code, reason) => {
      if (socket.readyState === socket.CLOSED) return;
      socket.close(code, reason);
      const timer = setTimeout(() => socket.terminate(), closeTimeoutMs);
      socket.once("close", () => clearTimeout(timer));
    },
  };
}
