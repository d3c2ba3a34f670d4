import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { silentLogger } from "@slipway/runtime";
import { expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

import { openPeerSocket } from "./peer-socket.ts";

it("closes once for a peer that breaks a rule again and again", async () => {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  const served = Promise.withResolvers<number[]>();
  server.on("connection", (socket) => {
    const listeners: number[] = [];
    void openPeerSocket(socket, silentLogger, async (peer) => {
      socket.on("message", () => {
        peer.close(1008, `rule ${listeners.length}`);
        listeners.push(socket.listenerCount("close"));
      });
      await once(peer.signal, "abort");
    }).then(() => served.resolve(listeners));
  });
  await once(server, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = server.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(client, "open");
  const closed = once(client, "close");
  for (let count = 0; count < 20; count += 1) client.send("wrong");
  const [code, reason] = await closed;
  expect([code, String(reason)]).toEqual([1008, "rule 0"]);
  const listeners = await served.promise;
  expect(listeners.length).toBe(20);
  expect(new Set(listeners).size).toBe(1);
  server.close();
});
