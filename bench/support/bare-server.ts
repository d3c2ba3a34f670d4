import { createServer } from "node:http";

import { WebSocketServer } from "ws";

import { listen } from "./listen.ts";
import { servePart } from "./part.ts";

/*
 * The floor: node:http and `ws` alone, in a separate process. Answers every request with as many bytes of JSON as its
 * path says, and echoes every message of a socket.
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
const port = await listen(server);

const answers = { port: (): number => port };
export type BareServer = typeof answers;
servePart(answers);
