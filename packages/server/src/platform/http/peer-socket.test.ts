import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";

import { type Logger, silentLogger } from "@slipway/runtime";
import { afterEach, beforeEach, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

import { openPeerSocket, type PeerSocket } from "./peer-socket.ts";

let server: WebSocketServer;

beforeEach(async () => {
  server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
});

afterEach(() => server.close());

async function openClient(): Promise<WebSocket> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = server.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(client, "open");
  return client;
}

it("closes once for a peer that breaks a rule again and again", async () => {
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
  const client = await openClient();
  const closed = once(client, "close");
  for (let count = 0; count < 20; count += 1) client.send("wrong");
  const [code, reason] = await closed;
  expect([code, String(reason)]).toEqual([1008, "rule 0"]);
  const listeners = await served.promise;
  expect(listeners.length).toBe(20);
  expect(new Set(listeners).size).toBe(1);
});

it.each([
  ["the peer closes", (_: PeerSocket, client: WebSocket) => client.close(), true],
  ["the peer's process ends", (_: PeerSocket, client: WebSocket) => client.terminate(), true],
  ["this side closes", (peer: PeerSocket) => peer.close(1001, "liveness probe failed"), false],
])("knows whether its peer has left when %s", async (_, end, isLeft) => {
  const opened = Promise.withResolvers<PeerSocket>();
  server.on("connection", (socket) => {
    void openPeerSocket(socket, silentLogger, async (one) => {
      opened.resolve(one);
      await once(one.signal, "abort");
    });
  });
  const client = await openClient();
  const peer = await opened.promise;
  expect(peer.isLeft).toBe(false);
  end(peer, client);
  await once(peer.signal, "abort");
  expect(peer.isLeft).toBe(isLeft);
});

it("logs nothing about a peer that closes while it is sent to", async () => {
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (_, message) => void warnings.push(message) };
  const served = Promise.withResolvers<unknown>();
  server.on("connection", (socket) => {
    void openPeerSocket(socket, logger, async (peer) => {
      while (socket.readyState === socket.OPEN) await turn();
      expect(peer.signal.aborted).toBe(false);
      await peer.sendText("second");
    }).then(served.resolve);
  });
  const client = await openClient();
  client.close();
  await served.promise;
  expect(warnings).toEqual([]);
});

it("logs why serving a peer failed that is still there", async () => {
  const warnings: unknown[] = [];
  const logger: Logger = { ...silentLogger, warn: (fields) => void warnings.push(fields) };
  server.on("connection", (socket) => {
    void openPeerSocket(socket, logger, () => Promise.reject(new Error("out of order")));
  });
  const [code] = await once(await openClient(), "close");
  expect(code).toBe(1011);
  expect(warnings).toEqual([{ error: "out of order" }]);
});
