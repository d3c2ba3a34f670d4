import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";

/** A service of the workspace that sends back what it gets. Its opener disposes of it. */
interface EchoService extends AsyncDisposable {
  readonly port: number;
}

/** Opens the service on a free port of the loopback interface. */
export async function openEchoService(): Promise<EchoService> {
  const server = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    // An agent that is killed resets its connections.
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

/** Opens the service for datagrams on a free UDP port of the loopback interface. */
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
