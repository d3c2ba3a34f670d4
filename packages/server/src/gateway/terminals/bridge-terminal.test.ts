import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type Duplex, duplexPair } from "node:stream";

import { silentLogger, systemClock } from "@slipway/runtime";
import { expect, it, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

import { openPeerSocket } from "../../platform/http/peer-socket.ts";
import { bridgeTerminal } from "./bridge-terminal.ts";

/** More than the system's buffers hold. */
const mostBytes = 64 * 1024 * 1024;

interface OpenedViewer {
  readonly viewer: WebSocket;
  /** Returns the server's end. */
  readonly socket: () => WebSocket;
  readonly agent: Duplex;
}

/** Opens a viewer whose terminal is the other end of a stream. */
async function openViewer(): Promise<OpenedViewer> {
  const [agent, stream] = duplexPair();
  agent.on("error", () => undefined);
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  server.on("connection", (socket) => {
    socket.pause();
    void openPeerSocket(socket, silentLogger, (peer) => bridgeTerminal(peer, stream, systemClock));
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
  const { port } = server.address() as AddressInfo;
  const viewer = new WebSocket(`ws://127.0.0.1:${port}`);
  onTestFinished(() => {
    viewer.terminate();
    server.close();
  });
  await once(viewer, "open");
  return {
    viewer,
    socket: () => {
      const [socket] = server.clients;
      if (socket === undefined) throw new Error("nobody is connected");
      return socket;
    },
    agent,
  };
}

async function write(agent: Duplex, bytes: Uint8Array): Promise<void> {
  if (!agent.write(bytes)) await once(agent, "drain");
}

it("sends a burst in few messages, all of it, and then closes in order", async () => {
  const { viewer, agent } = await openViewer();
  const messages: Buffer[] = [];
  viewer.on("message", (bytes: Buffer) => messages.push(bytes));
  const pieces = 1_000;
  for (let piece = 0; piece < pieces; piece += 1) await write(agent, Buffer.alloc(1_220, piece));
  agent.end();
  const [code] = await once(viewer, "close");
  expect(code).toBe(1000);
  const wanted = Array.from({ length: pieces }, (_, piece) => Buffer.alloc(1_220, piece));
  expect(Buffer.concat(messages).equals(Buffer.concat(wanted))).toBe(true);
  expect(messages.length).toBeLessThan(pieces / 4);
});

it("sends what comes alone at once", async () => {
  const { viewer, agent } = await openViewer();
  for (const key of ["a", "b", "c"]) {
    const echoed = once(viewer, "message");
    agent.write(key);
    expect(String((await echoed)[0])).toBe(key);
  }
});

it("keeps little for a viewer that does not read, and sends it later", async () => {
  const { viewer, socket, agent } = await openViewer();
  viewer.pause();
  const piece = Buffer.alloc(64 * 1024);
  let written = 0;
  let mostUnsent = 0;
  const writeOn = (): void => {
    do {
      written += piece.length;
      mostUnsent = Math.max(mostUnsent, socket().bufferedAmount);
    } while (agent.write(piece) && written < mostBytes);
  };
  agent.on("drain", () => written < mostBytes && writeOn());
  writeOn();
  // The system's buffers hold some megabytes.
  await expect.poll(() => agent.writableNeedDrain && socket().bufferedAmount > 0).toBe(true);
  expect(written).toBeLessThan(mostBytes);
  expect(mostUnsent).toBeLessThan(1024 * 1024);
  agent.removeAllListeners("drain");
  let received = 0;
  viewer.on("message", (bytes: Buffer) => (received += bytes.length));
  viewer.resume();
  agent.end();
  await once(viewer, "close");
  expect(received).toBe(written);
});
