import { once } from "node:events";
import { connect, type Socket } from "node:net";

import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, it } from "vitest";

import { type EventStream, openEventStream } from "./event-stream.ts";

let app: FastifyInstance;
let reader: Socket;
let stream: EventStream;
let port: number;
/** The bytes that were not written at once when a stream was opened that begins with a ping. */
let heldBytes = 0;

beforeEach(async () => {
  app = Fastify();
  const opened = Promise.withResolvers<EventStream>();
  app.get("/events", async (request, reply) => {
    opened.resolve(openEventStream(request, reply));
    return reply;
  });
  app.get("/pinged", async (request, reply) => {
    openEventStream(request, reply).ping();
    heldBytes = request.raw.socket.writableLength;
    return reply;
  });
  port = Number(new URL(await app.listen({ host: "127.0.0.1", port: 0 })).port);
  reader = await ask("/events");
  reader.pause();
  stream = await opened.promise;
});

/** Requests a stream on a new connection. */
async function ask(path: string): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port });
  await once(socket, "connect");
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  return socket;
}

/** Reads what arrives until it matches. */
async function readUntil(socket: Socket, wanted: RegExp): Promise<string> {
  let received = "";
  socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
  socket.resume();
  await expect.poll(() => received).toMatch(wanted);
  return received;
}

afterEach(async () => {
  reader.destroy();
  stream.end();
  await app.close();
});

/** Sends until the stream makes the writer wait; resolves to that wait. */
async function fill(): Promise<{
  readonly waiting: Promise<void>;
  readonly isDone: () => boolean;
}> {
  const text = JSON.stringify("x".repeat(1024 * 1024));
  for (;;) {
    let done = false;
    const waiting = stream.dataText(text).then(() => {
      done = true;
    });
    // The kernel accepts data up to its buffer within a few turns.
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    if (!done) return { waiting, isDone: () => done };
  }
}

it("sends its head at once", async () => {
  await readUntil(reader, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/);
});

it("sends its head in one piece with a ping that is sent in the same turn", async () => {
  const pinged = await ask("/pinged");
  const received = await readUntil(pinged, /^HTTP\/1\.1 200 OK\r\n[^]*event: ping\n\n\r\n$/);
  pinged.destroy();
  expect(heldBytes).toBe(received.length);
});

it("makes the writer wait for a reader who does not read", async () => {
  const { waiting, isDone } = await fill();
  expect(isDone()).toBe(false);
  reader.resume();
  await waiting;
});

it("lets the writer go when the reader leaves", async () => {
  const { waiting } = await fill();
  reader.destroy();
  await waiting;
  expect(stream.signal.aborted).toBe(true);
});

it("disconnects a reader who has not taken what was sent before the next ping", async () => {
  const { waiting } = await fill();
  expect(stream.signal.aborted).toBe(false);
  stream.ping();
  await waiting;
  expect(stream.signal.aborted).toBe(true);
});
