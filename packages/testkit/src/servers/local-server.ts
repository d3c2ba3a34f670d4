import { once } from "node:events";
import type { Server as HttpServer } from "node:http";
import type { AddressInfo, Server, Socket } from "node:net";

/** A server that listens on this machine; disposing of it cuts off every connection. */
export interface LocalServer extends AsyncDisposable {
  readonly port: number;
  /** The URL, such as `http://127.0.0.1:<port>`. */
  readonly url: string;
}

/** Makes an HTTP or plain TCP server listen on a free port of an address (default: 127.0.0.1). */
export async function openLocalServer(
  server: Server | HttpServer,
  address = "127.0.0.1",
): Promise<LocalServer> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // Peers that disconnect early are the subject of some tests.
    socket.on("error", () => undefined);
  });
  server.listen(0, address);
  await once(server, "listening");
  const { port } = addressOf(server);
  return {
    port,
    url: `http://${address}:${port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address;
}
