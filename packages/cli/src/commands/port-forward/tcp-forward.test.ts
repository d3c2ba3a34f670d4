import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";

import { afterEach, expect, it } from "vitest";

import type { Forward } from "./forward-spec.ts";
import { openTcpForward } from "./tcp-forward.ts";

/* The workspace's ports are ports of this machine here. */

let resources = new AsyncDisposableStack();
afterEach(async () => {
  await resources.disposeAsync();
  resources = new AsyncDisposableStack();
});

async function listen(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    onConnection(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  resources.defer(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return portOf(server);
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}

class Refusal extends Error {
  readonly code = "refused";
}

async function dial(port: number, signal: AbortSignal): Promise<Duplex> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, signal });
  try {
    await once(socket, "connect");
  } catch (error) {
    throw new Refusal("connect", { cause: error });
  }
  return socket;
}

async function forwardTo(
  remotePort: number,
  { address = "127.0.0.1", said = [] }: { address?: string | undefined; said?: string[] } = {},
): Promise<Forward> {
  const forward: Forward = { protocol: "tcp", address, localPort: await freePort(), remotePort };
  resources.use(await openTcpForward(forward, { dial, report: (text) => said.push(text) }));
  return forward;
}

async function connectTo({ localPort }: Forward, host = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ port: localPort, host, allowHalfOpen: true });
  resources.defer(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

it("carries both directions, each of which ends by itself", async () => {
  const echo = await listen((socket) => void pipeline(socket, socket).catch(() => undefined));
  const socket = await connectTo(await forwardTo(echo));
  const sent = randomBytes(3_000_000);
  socket.end(sent);
  const received = await buffer(socket);
  expect(createHash("sha256").update(received).digest("hex")).toBe(
    createHash("sha256").update(sent).digest("hex"),
  );
});

it("keeps the way to the workspace open after the workspace has ended its own", async () => {
  const received = Promise.withResolvers<Buffer>();
  const port = await listen((socket) => {
    socket.end("bye");
    buffer(socket).then(received.resolve, received.reject);
  });
  const socket = await connectTo(await forwardTo(port));
  expect((await buffer(socket)).toString()).toBe("bye");
  socket.end("still here");
  expect((await received.promise).toString()).toBe("still here");
});

it("stops reading from a sender whose reader does not read", async () => {
  const taken = Promise.withResolvers<Socket>();
  const port = await listen((socket) => {
    socket.pause();
    taken.resolve(socket);
  });
  const socket = await connectTo(await forwardTo(port));
  const block = Buffer.alloc(1 << 20);
  while (socket.write(block) || socket.writableLength < 16 * block.length) {
    if (socket.bytesWritten > 256 * block.length) throw new Error("nothing holds the sender back");
  }
  const reader = await taken.promise;
  const sent = socket.bytesWritten;
  socket.end();
  expect((await buffer(reader)).length).toBe(sent);
});

it("passes a reset on, in both directions", async () => {
  const taken = Promise.withResolvers<Socket>();
  const port = await listen((socket) => taken.resolve(socket));
  const forward = await forwardTo(port);
  const local = await connectTo(forward);
  local.write("x");
  (await taken.promise).resetAndDestroy();
  await expect(buffer(local)).rejects.toMatchObject({ code: "ECONNRESET" });

  const gone = Promise.withResolvers<void>();
  const other = await listen((socket) => {
    socket.resume();
    socket.on("end", () => gone.resolve()).on("close", () => gone.resolve());
  });
  const second = await connectTo(await forwardTo(other));
  second.resetAndDestroy();
  await gone.promise;
});

it("reports a port that refuses, and closes that connection only", async () => {
  const said: string[] = [];
  const remotePort = await freePort();
  const forward = await forwardTo(remotePort, { said });
  const refused = await connectTo(forward);
  await expect(buffer(refused)).rejects.toMatchObject({ code: "ECONNRESET" });
  expect(said).toEqual([`port ${remotePort} of the workspace refused the connection`]);
  const server = createServer((socket) => void socket.end("up")).listen(remotePort, "127.0.0.1");
  resources.defer(() => void server.close());
  await once(server, "listening");
  expect((await buffer(await connectTo(forward))).toString()).toBe("up");
});

it("carries a thousand connections at once", async () => {
  const waiting: Socket[] = [];
  const all = Promise.withResolvers<void>();
  const count = 1_000;
  const port = await listen((socket) => {
    waiting.push(socket);
    if (waiting.length === count) all.resolve();
  });
  const forward = await forwardTo(port);
  const sockets = await Promise.all(Array.from({ length: count }, () => connectTo(forward)));
  await all.promise;
  for (const socket of waiting) void pipeline(socket, socket);
  const answers = sockets.map(async (socket, index) => {
    socket.end(`connection ${index}`);
    return (await buffer(socket)).toString();
  });
  expect(await Promise.all(answers)).toEqual(sockets.map((_, index) => `connection ${index}`));
});

it("ends its connections when it is closed", async () => {
  const port = await listen((socket) => socket.resume());
  const forward: Forward = {
    protocol: "tcp",
    address: "127.0.0.1",
    localPort: await freePort(),
    remotePort: port,
  };
  const said: string[] = [];
  const listening = await openTcpForward(forward, { dial, report: (text) => said.push(text) });
  const socket = await connectTo(forward);
  const ended = once(socket.resume(), "end");
  await listening[Symbol.asyncDispose]();
  await ended;
  await expect(connectTo(forward)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  expect(said).toEqual([]);
});

it("listens on both loopback addresses by default, or on the one given", async () => {
  const port = await listen((socket) => void socket.end("up"));
  const six = await forwardTo(port, { address: "::1" });
  expect((await buffer(await connectTo(six, "::1"))).toString()).toBe("up");
  await expect(connectTo(six, "127.0.0.1")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  const localPort = await freePort();
  const both: Forward = { protocol: "tcp", address: undefined, localPort, remotePort: port };
  resources.use(await openTcpForward(both, { dial, report: () => undefined }));
  for (const host of ["127.0.0.1", "::1"]) {
    expect((await buffer(await connectTo(both, host))).toString()).toBe("up");
  }
});

it("names the flag and another port when the local one is in use", async () => {
  const localPort = await listen(() => undefined);
  const forward: Forward = { protocol: "tcp", address: undefined, localPort, remotePort: 80 };
  await expect(openTcpForward(forward, { dial, report: () => undefined })).rejects.toMatchObject({
    message: `cannot listen on 127.0.0.1:${localPort} (--tcp): the port is in use`,
    hint: `use another local port, such as --tcp ${localPort + 1}:80`,
  });
  const absent: Forward = { ...forward, address: "192.0.2.1" };
  await expect(openTcpForward(absent, { dial, report: () => undefined })).rejects.toThrow(
    "this machine has no such address",
  );
});
