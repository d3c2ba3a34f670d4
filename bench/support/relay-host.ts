import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";

import { Relay, serveSocket, sodiumCrypto } from "@slipway/relay";
import { silentLogger, systemClock } from "@slipway/runtime";

/*
 * A process of its own for bench/relay.ts: `relay` is a relay behind an HTTP upgrade, `copier` copies bytes between the
 * connections of each pair that arrives. Prints its port; at the parent's word it prints its memory after a collection.
 */

function openRelay(): ReturnType<typeof createHttpServer> {
  const relay = new Relay({ crypto: sodiumCrypto, clock: systemClock, logger: silentLogger });
  const server = createHttpServer();
  server.on("upgrade", (_request, socket: Socket) => {
    socket.setNoDelay(true);
    serveSocket(socket, (transport) => relay.accept(transport));
  });
  return server;
}

function openCopier(): ReturnType<typeof createServer> {
  let waiting: Socket | undefined;
  return createServer((socket) => {
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    if (waiting === undefined) {
      waiting = socket;
      return;
    }
    waiting.pipe(socket);
    socket.pipe(waiting);
    waiting = undefined;
  });
}

const server = process.argv[2] === "relay" ? openRelay() : openCopier();
server.listen(0, "127.0.0.1", () => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- listens on TCP
  process.send?.((server.address() as AddressInfo).port);
});
process.on("message", () => {
  globalThis.gc?.();
  process.send?.(process.memoryUsage().rss);
});
