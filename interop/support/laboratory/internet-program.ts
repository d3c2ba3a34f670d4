import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:http";

import { openStunListener } from "@slipway/relay";
import { systemClock } from "@slipway/runtime";
import { answerCalls, internetAddresses } from "@slipway/testkit/netlab";
import { WebSocketServer } from "ws";

import { ports } from "./ports.ts";

/* The services of the laboratory's internet: STUN at both addresses, a UDP echo, and HTTP with two upgrades. */

for (const host of internetAddresses) {
  await openStunListener({ host, port: ports.stun, clock: systemClock });
}

const echo = createSocket({ type: "udp4", recvBufferSize: 1 << 20 });
echo.on("message", (datagram, { address, port }) => echo.send(datagram, port, address));
echo.bind(ports.echo, internetAddresses[0]);
await once(echo, "listening");

const webSockets = new WebSocketServer({ noServer: true });
webSockets.on("connection", (socket) => socket.on("message", (data) => socket.send(data)));
const server = createServer((request, response) => response.end(request.url));
server.on("upgrade", (request, socket, head) => {
  if (request.headers.upgrade === "DERP") {
    socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n\r\n");
  } else {
    webSockets.handleUpgrade(request, socket, head, (one) => webSockets.emit("connection", one));
  }
});
server.listen(ports.http, internetAddresses[0]);
await once(server, "listening");

answerCalls("ready", {});
