import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";

import { afterEach, expect, it } from "vitest";

import { carryBytes } from "./stdio.ts";

const never = new AbortController().signal;

let server: Server | undefined;
afterEach(() => void server?.close());

async function dial(onConnection: (socket: Socket) => void): Promise<Socket> {
  server = createServer({ allowHalfOpen: true }, onConnection).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const socket = connect({ port: address.port, host: "127.0.0.1", allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}

it("passes the end of stdin on, and everything that comes after it", async () => {
  const sent = randomBytes(2_000_000);
  // The response starts when the request has ended.
  const remote = await dial((socket) => void buffer(socket).then((bytes) => socket.end(bytes)));
  const [input, output] = [new PassThrough(), new PassThrough()];
  const received = buffer(output);
  input.end(sent);
  await carryBytes(remote, { input, output }, never);
  output.end();
  expect((await received).equals(sent)).toBe(true);
});

it("ends with the other end, whatever stdin does", async () => {
  const remote = await dial((socket) => void socket.end("bye"));
  const [input, output] = [new PassThrough(), new PassThrough()];
  await carryBytes(remote, { input, output }, never);
  output.end();
  expect((await buffer(output)).toString()).toBe("bye");
});

it("rejects if the connection is reset", async () => {
  const remote = await dial((socket) => socket.once("data", () => socket.resetAndDestroy()));
  const streams = { input: new PassThrough(), output: new PassThrough() };
  streams.input.write("x");
  await expect(carryBytes(remote, streams, never)).rejects.toMatchObject({ code: "ECONNRESET" });
});
