import { Duplex } from "node:stream";

import { expect, it } from "vitest";

import { serveSocket } from "./serve-socket.ts";

it("closes the connection of a client that sends no more", async () => {
  const socket = new Duplex({ allowHalfOpen: true, read: () => undefined });
  const received: string[] = [];
  const closed = Promise.withResolvers<void>();
  serveSocket(socket, () => ({
    receive: (chunk) => received.push(Buffer.from(chunk).toString()),
    closed: closed.resolve,
  }));
  socket.push("hello");
  socket.push(null);
  await closed.promise;
  expect(received).toEqual(["hello"]);
  expect(socket.destroyed).toBe(true);
});
