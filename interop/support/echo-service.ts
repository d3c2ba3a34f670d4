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
