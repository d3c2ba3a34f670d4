import { once } from "node:events";
import { createServer } from "node:net";

import { onTestFinished } from "vitest";

import type { Service } from "../../src/connections/accepted-connection.ts";

/** Serves on a port of the loopback interface until the test ends; returns the port. */
export async function listenOnLoopback(service: Service): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => service.accept(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}
