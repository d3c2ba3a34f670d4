import type { Duplex } from "node:stream";

import type { RelayStream } from "../relay/relay-stream.ts";

/** Returns a stream over an upgraded socket, which it then owns, beginning with the bytes that came with the answer. */
export function streamOfSocket(socket: Duplex, head: Uint8Array): RelayStream {
  let reason: string | undefined;
  socket.on("error", (error) => {
    reason = error.message;
    socket.destroy();
  });
  return {
    start: (receiver) => {
      socket.on("end", () => socket.destroy());
      if (socket.closed) {
        receiver.closed(reason);
        return;
      }
      socket.on("close", () => receiver.closed(reason));
      if (head.length > 0) receiver.receive(Uint8Array.from(head));
      socket.on("data", (chunk: Uint8Array) => receiver.receive(chunk));
    },
    send: (pieces, sent) => {
      const last = pieces.length - 1;
      socket.cork();
      for (const [index, piece] of pieces.entries()) {
        if (index < last) socket.write(piece);
        else {
          socket.write(piece, (error) => {
            if (error === undefined || error === null) sent();
          });
        }
      }
      socket.uncork();
    },
    end: () => socket.end(() => socket.destroy()),
    destroy: () => socket.destroy(),
  };
}
