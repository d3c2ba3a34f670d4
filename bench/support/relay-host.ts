import { createServer as createHttpServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";

import { Relay, serveSocket, sodiumCrypto } from "@slipway/relay";
import { silentLogger, systemClock } from "@slipway/runtime";

import { listen } from "./listen.ts";
import { servePart } from "./part.ts";

/*
 * A separate process for bench/relay.ts: with the argument `relay`, a relay behind an HTTP upgrade; with `copier`, a
 * server that copies bytes between the connections of each pair that arrives.
 */

function openRelay(): Server {
  const relay = new Relay({ crypto: sodiumCrypto, clock: systemClock, logger: silentLogger });
  const server = createHttpServer();
  server.on("upgrade", (_request, socket: Socket) => {
    socket.setNoDelay(true);
    serveSocket(socket, (transport) => relay.accept(transport));
  });
  return server;
}

function openCopier(): Server {
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

const port = await listen(process.argv[2] === "relay" ? openRelay() : openCopier());

const answers = {
  port: (): number => port,
  /** Answers with the resident bytes after a collection. */
  memory: (): number => {
    globalThis.gc?.();
    return process.memoryUsage().rss;
  },
};
export type RelayHost = typeof answers;
servePart(answers);
