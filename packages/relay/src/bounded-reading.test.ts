import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

import { openLocalServer } from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";

import { maxBytesPerTurn } from "./bounded-reading.ts";
import { serveSocket } from "./serve-socket.ts";
import type { RelayTransport } from "./transport.ts";

const largestChunk = 64 * 1024;

interface Ends {
  readonly near: Socket;
  readonly far: Socket;
}

async function openEnds(): Promise<Ends> {
  const accepted = Promise.withResolvers<Socket>();
  const server = await openLocalServer(createServer((socket) => accepted.resolve(socket)));
  onTestFinished(() => server[Symbol.asyncDispose]());
  const near = connect(server.port, "127.0.0.1");
  onTestFinished(() => void near.destroy());
  await once(near, "connect");
  const far = await accepted.promise;
  return { near, far };
}

/** Reads as a session does, and counts the bytes of each turn of the event loop. */
function countTurns(socket: Socket) {
  const turns: number[] = [];
  let bytes = 0;
  let transport: RelayTransport | undefined;
  let isCounting = true;
  const count = (): void => {
    if (bytes > 0) turns.push(bytes);
    bytes = 0;
    if (isCounting) setImmediate(count);
  };
  onTestFinished(() => {
    isCounting = false;
  });
  setImmediate(count);
  serveSocket(socket, (opened) => {
    transport = opened;
    return { receive: (chunk) => (bytes += chunk.length), closed: () => undefined };
  });
  const total = (): number => bytes + turns.reduce((sum, one) => sum + one, 0);
  return { turns, total, transport: () => transport };
}

it("takes a bounded part of what a client has sent in one turn, and all of it in the end", async () => {
  const { near, far } = await openEnds();
  const sent = 128 * largestChunk;
  let taken = 0;
  for (let bytes = 0; bytes < sent; bytes += largestChunk) {
    near.write(new Uint8Array(largestChunk), () => (taken += 1));
  }
  near.end();
  // The system buffers many before the first is read.
  await expect.poll(() => taken).toBeGreaterThan(16);
  const { turns, total } = countTurns(far);
  await expect.poll(total).toBe(sent);
  expect(Math.max(...turns)).toBeLessThan(maxBytesPerTurn + largestChunk);
});

it("stays paused until it is resumed", async () => {
  const { near, far } = await openEnds();
  const { total, transport } = countTurns(far);
  near.write(new Uint8Array(2 * maxBytesPerTurn));
  await expect.poll(total).toBeGreaterThan(0);
  transport()?.pause();
  await expect.poll(total).toBeGreaterThan(0);
  const held = total();
  near.end(new Uint8Array(4 * maxBytesPerTurn));
  for (let turn = 0; turn < 50; turn += 1) await new Promise((next) => setImmediate(next));
  expect(total()).toBe(held);
  transport()?.resume();
  await expect.poll(total).toBe(6 * maxBytesPerTurn);
});
