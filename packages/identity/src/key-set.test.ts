import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { silentLogger } from "@slipway/runtime";
import { createFakeClock, type FakeClock } from "@slipway/testkit";
import { afterEach, beforeEach, expect, it } from "vitest";

import { KeySet } from "./key-set.ts";

let opened: AsyncDisposableStack;
let clock: FakeClock;
let asked: number;
let answer: (reply: ServerResponse) => void;
let keys: KeySet;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  clock = createFakeClock();
  asked = 0;
  answer = publish(["a"]);
  const server = createServer((_, reply) => {
    asked += 1;
    answer(reply);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  opened.defer(() => new Promise((resolve) => server.close(() => resolve())));
  opened.defer(() => server.closeAllConnections());
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = server.address() as AddressInfo;
  keys = new KeySet({ url: `http://127.0.0.1:${port}/keys`, clock, logger: silentLogger });
});

afterEach(() => opened.disposeAsync());

function publish(ids: readonly string[], headers: Readonly<Record<string, string>> = {}) {
  return (reply: ServerResponse): void => {
    reply.writeHead(200, headers);
    reply.end(JSON.stringify({ keys: ids.map((kid) => ({ kid, kty: "RSA" })) }));
  };
}

const unknown = "signed with a key that is not published";
const away = "the keys that sign tokens are not available";

it("asks once at a time, and keeps the answer for as long as it says", async () => {
  answer = publish(["a", "b"], {
    "Cache-Control": "public, max-age=600, must-revalidate",
    Age: "300",
  });
  const found = await Promise.all([keys.find("a"), keys.find("b"), keys.find("a")]);
  expect(found).toMatchObject([{ kid: "a" }, { kid: "b" }, { kid: "a" }]);
  await clock.advance(299_999);
  await keys.find("b");
  expect(asked).toBe(1);
  answer = publish(["b"]);
  await clock.advance(1);
  await keys.find("b");
  await expect(keys.find("a")).rejects.toThrow(unknown);
  expect(asked).toBe(2);
});

it.each([[{}], [{ "Cache-Control": "no-store" }], [{ "Cache-Control": "max-age=5", Age: "10" }]])(
  "keeps the answer for a minute at least, with %j",
  async (headers) => {
    answer = publish(["a"], headers);
    await keys.find("a");
    await clock.advance(59_999);
    await keys.find("a");
    expect(asked).toBe(1);
    await clock.advance(1);
    await keys.find("a");
    expect(asked).toBe(2);
  },
);

it("keeps the answer for a day at most", async () => {
  answer = publish(["a"], { "Cache-Control": "max-age=999999999" });
  await keys.find("a");
  await clock.advance(86_400_000);
  await keys.find("a");
  expect(asked).toBe(2);
});

it("asks again for a key that it does not have, once a minute", async () => {
  answer = publish(["a"], { "Cache-Control": "max-age=3600" });
  await expect(keys.find("b")).rejects.toThrow(unknown);
  expect(asked).toBe(1);
  answer = publish(["a", "b"], { "Cache-Control": "max-age=3600" });
  await clock.advance(59_999);
  await expect(keys.find("b")).rejects.toThrow(unknown);
  expect(asked).toBe(1);
  await clock.advance(1);
  expect(await keys.find("b")).toMatchObject({ kid: "b" });
  answer = (reply) => reply.writeHead(500).end();
  await clock.advance(60_000);
  for (let again = 0; again < 3; again += 1) {
    await expect(keys.find("c")).rejects.toThrow(unknown);
  }
  expect(asked).toBe(3);
  // Cached keys remain.
  expect(await keys.find("a")).toMatchObject({ kid: "a" });
});

it.each<[string, (reply: ServerResponse) => void]>([
  ["an error", (reply) => reply.writeHead(503).end()],
  ["no JSON", (reply) => reply.end("<html>")],
  ["no keys", (reply) => reply.end('{"keys":{}}')],
  ["null", (reply) => reply.end("null")],
  ["a way elsewhere", (reply) => reply.writeHead(302, { Location: "/" }).end()],
  ["more than it reads", (reply) => reply.end(`{"keys":[],"x":"${"x".repeat(1024 * 1024)}"}`)],
  ["half an answer", (reply) => reply.socket?.destroy()],
])("has no keys when it is answered with %s, and asks again after a second", async (_, bad) => {
  answer = bad;
  await expect(keys.find("a")).rejects.toThrow(away);
  await expect(keys.find("a")).rejects.toThrow(away);
  expect(asked).toBe(1);
  answer = publish(["a"]);
  await clock.advance(1_000);
  expect(await keys.find("a")).toMatchObject({ kid: "a" });
});

it("does not trust keys past their time", async () => {
  await keys.find("a");
  answer = (reply) => reply.writeHead(500).end();
  await clock.advance(60_000);
  await expect(keys.find("a")).rejects.toThrow(away);
});

it("passes over what is no key", async () => {
  answer = (reply) => reply.end('{"keys":[null,1,{"kid":2},[],{"kid":"a","kty":"RSA"}]}');
  expect(await keys.find("a")).toEqual({ kid: "a", kty: "RSA" });
});
