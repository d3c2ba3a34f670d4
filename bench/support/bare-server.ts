import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { WebSocketServer } from "ws";

/*
 * The baseline of node:http and `ws` alone, in a process of its own: answers every request with as many bytes of JSON
 * as its path says, and sends back every message of a socket. Prints its port.
 */

const bodies = new Map<string, Buffer>();
const server = createServer((request, response) => {
  const path = request.url ?? "";
  const body = bodies.get(path) ?? Buffer.from(JSON.stringify("x".repeat(Number(path.slice(1)))));
  bodies.set(path, body);
  response.writeHead(200, { "Content-Type": "application/json", "Content-Length": body.length });
  response.end(body);
});
new WebSocketServer({ server, perMessageDeflate: false }).on("connection", (socket) => {
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.listen(0, "127.0.0.1", () => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- listens on TCP
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
