import { createServer } from "node:http";

import fastify from "fastify";
import { expect, it, onTestFinished } from "vitest";

import { readSettings } from "../platform/config/settings.ts";
import { isOwnAddress, listen, type Listener } from "./listen.ts";

async function openListener(host = "127.0.0.1"): Promise<Listener> {
  const app = fastify();
  app.get("/", (request, reply) => void reply.send(request.socket.localAddress));
  const settings = readSettings({ SLIPWAY_HTTP_ADDRESS: `${host}:0` }, false);
  const listener = await listen(app, { destroyAll: () => undefined }, settings);
  onTestFinished(() => listener[Symbol.asyncDispose]());
  return listener;
}

async function read(url: string): Promise<string> {
  return (await fetch(url)).text();
}

it("listens on a further address at the same port, once", async () => {
  const listener = await openListener();
  const urls = await Promise.all([listener.listenOn("127.0.0.2"), listener.listenOn("127.0.0.2")]);
  const url = `http://127.0.0.2:${listener.port}`;
  expect(urls).toEqual([url, url]);
  expect(await read(url)).toBe("127.0.0.2");
  await listener[Symbol.asyncDispose]();
  await expect(read(url)).rejects.toThrow("fetch failed");
});

it("listens at another port if that one is taken", async () => {
  const listener = await openListener();
  const other = createServer();
  onTestFinished(() => void other.close());
  await new Promise<void>((resolve) => other.listen(listener.port, "127.0.0.3", resolve));
  const url = await listener.listenOn("127.0.0.3");
  expect(new URL(url).port).not.toBe(`${listener.port}`);
  expect(await read(url)).toBe("127.0.0.3");
});

it("opens nothing for an address on which it listens already, and says why it cannot", async () => {
  const everywhere = await openListener("0.0.0.0");
  expect(await read(await everywhere.listenOn("127.0.0.4"))).toBe("127.0.0.4");
  const listener = await openListener();
  await expect(listener.listenOn("192.0.2.1")).rejects.toThrow("EADDRNOTAVAIL");
});

it.each([
  ["localhost", true],
  ["dev.localhost", true],
  ["127.0.0.1", true],
  ["127.9.9.9", true],
  ["[::1]", true],
  ["10.0.0.1", false],
  ["localhost.example.com", false],
  ["127.0.0.1.example.com", false],
])("knows whether %s leads every machine to itself: %s", (host, isOwn) => {
  expect(isOwnAddress(host)).toBe(isOwn);
});
