import type { WebSocket } from "ws";

import type { RpcSocket } from "../../src/socket.ts";

/** Lends a `ws` socket to a session; the test closes it. */
export function lend(socket: WebSocket): RpcSocket {
  const gone = new AbortController();
  socket.on("close", (code) => gone.abort(new Error(`socket closed with ${code}`)));
  return { raw: socket, signal: gone.signal, close: (code, reason) => socket.close(code, reason) };
}
