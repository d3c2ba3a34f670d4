import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

import { WebSocketServer } from "ws";

/**
 * The web server of an app, which answers every request with one page and echoes WebSockets. The opener disposes of
 * it.
 */
export interface EchoApp extends AsyncDisposable {
  readonly port: number;
  /** The headers of each request, in order. */
  readonly seen: readonly IncomingHttpHeaders[];
}

/** Starts an app's server on the loopback interface. */
export async function openEchoApp(
  page: string,
  headers: Readonly<Record<string, string | string[]>>,
): Promise<EchoApp> {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers);
    response.writeHead(200, { "Content-Type": "text/html; charset=utf-8", ...headers });
    response.end(page);
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
    port: (server.address() as AddressInfo).port,
    seen,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
