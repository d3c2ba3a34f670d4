import { once } from "node:events";
import { connect, type Socket } from "node:net";

import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, it } from "vitest";

import { type EventStream, openEventStream } from "./event-stream.ts";

let app: FastifyInstance;
let reader: Socket;
let stream: EventStream;

beforeEach(async () => {
  app = Fastify();
  const opened = Promise.withResolvers<EventStream>();
  app.get("/events", async (request, reply) => {
    opened.resolve(openEventStream(request, reply));
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
