import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";

import { expect, it, onTestFinished } from "vitest";

import { openLocalServer } from "./local-server.ts";
import { type ProxyTarget, TcpProxy } from "./tcp-proxy.ts";

interface Ends {
  readonly proxy: TcpProxy;
  readonly near: Socket;
  readonly far: Socket;
}

/** Opens a connection through a proxy, with both of its ends. The targets before the accepting one are refused. */
async function openEnds(...before: readonly ProxyTarget[]): Promise<Ends> {
  const arrived = Promise.withResolvers<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => arrived.resolve(socket));
  const target = await openLocalServer(server);
  onTestFinished(() => target[Symbol.asyncDispose]());
  const proxy = await TcpProxy.open(() => [...before, target]);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  const near = connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true });
  const far = await arrived.promise;
  await expect.poll(() => proxy.links).toHaveLength(1);
  for (const end of [near, far]) end.on("error", () => undefined);
  return { proxy, near, far };
}

/** Resolves at the close, unlike `once` even after a reset. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

async function read(socket: Socket): Promise<string> {
  const [chunk] = await once(socket, "data");
  return String(chunk);
}

/** Returns a port without a listener. */
async function closedPort(): Promise<ProxyTarget> {
  const server = await openLocalServer(createServer());
  await server[Symbol.asyncDispose]();
  return { port: server.port };
}

it("passes bytes and the end of each side on by themselves", async () => {
  const { proxy, near, far } = await openEnds();
  near.end("question");
  expect(await read(far)).toBe("question");
  await once(far, "end");
  far.end("answer");
  expect(await read(near)).toBe("answer");
  await closed(near);
  await expect.poll(() => proxy.links).toEqual([]);
});

it("passes over targets that take no connection, and resets when none does", async () => {
  const nobody = await closedPort();
  const { near, far } = await openEnds(nobody, { path: "/nowhere" });
  near.write("hello");
  expect(await read(far)).toBe("hello");

  const proxy = await TcpProxy.open(() => [nobody]);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  const refused = connect(proxy.port, "127.0.0.1");
  expect(await once(refused, "error")).toMatchObject([{ code: "ECONNRESET" }]);
});

it("cuts both sides off", async () => {
  const { proxy, near, far } = await openEnds();
  const ended = Promise.all([closed(near), closed(far)]);
  for (const link of proxy.links) link.cut();
  await ended;
  await expect.poll(() => proxy.links).toEqual([]);
});

it("holds everything back while it is stalled, the loss of a side too", async () => {
  const { proxy, near, far } = await openEnds();
  const [link] = proxy.links;
  link?.stall();
  near.write("late");
  far.resetAndDestroy();
  let hasClosed = false;
  near.once("close", () => (hasClosed = true));
  for (let turns = 0; turns < 50; turns += 1) await turn();
  expect(hasClosed).toBe(false);
  link?.resume();
  await closed(near);
  await expect.poll(() => proxy.links).toEqual([]);
});

it("passes on what came during a stall", async () => {
  const { proxy, near, far } = await openEnds();
  const [link] = proxy.links;
  link?.stall();
  far.write("late");
  link?.resume();
  expect(await read(near)).toBe("late");
});
