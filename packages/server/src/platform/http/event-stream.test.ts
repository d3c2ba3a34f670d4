import { once } from "node:events";
import { connect, type Socket } from "node:net";

import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { type EventStream, openEventStream } from "./event-stream.ts";
import { pingIntervalMs } from "./peer-socket.ts";

let app: FastifyInstance;
let reader: Socket;
let stream: EventStream;
/** The bytes that were not written at once when the stream opened. */
let heldBytes = 0;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setInterval"] });
  app = Fastify();
  const opened = Promise.withResolvers<EventStream>();
  app.get("/events", async (request, reply) => {
    opened.resolve(openEventStream(request, reply));
    heldBytes = request.raw.socket.writableLength;
    return reply;
  });
  const { port } = new URL(await app.listen({ host: "127.0.0.1", port: 0 }));
  reader = connect({ host: "127.0.0.1", port: Number(port) });
  await once(reader, "connect");
  reader.pause();
  reader.write("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
  stream = await opened.promise;
});

afterEach(async () => {
  reader.destroy();
  stream.end();
  await app.close();
  vi.useRealTimers();
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

it("sends its head and a first ping at once, in one piece", async () => {
  let received = "";
  reader.on("data", (chunk: Buffer) => (received += chunk.toString()));
  reader.resume();
  await expect.poll(() => received).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\nevent: ping\n\n\r\n$/);
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
  vi.advanceTimersByTime(pingIntervalMs);
  await waiting;
  expect(stream.signal.aborted).toBe(true);
});
