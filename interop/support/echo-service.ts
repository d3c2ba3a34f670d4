import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";

/** A service of the workspace that echoes its input. The opener disposes of it. */
interface EchoService extends AsyncDisposable {
  readonly port: number;
}

/** Opens the service on a free loopback port. */
export async function openEchoService(): Promise<EchoService> {
  const server = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    // Killing an agent resets its connections.
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}

/** Opens the datagram service on a free loopback UDP port. */
export async function openUdpEchoService(): Promise<EchoService> {
  const socket = createSocket("udp4");
  socket.on("message", (datagram, { address, port }) => socket.send(datagram, port, address));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      socket.close();
    },
  };
}
