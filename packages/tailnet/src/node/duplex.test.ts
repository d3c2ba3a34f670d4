import { createHash, randomBytes } from "node:crypto";
import { createServer, request } from "node:http";
import { buffer, text } from "node:stream/consumers";

import { afterEach, expect, it } from "vitest";

import { type ConnectionPair, openConnectionPair } from "../../tests/support/connection-pair.ts";
import { toDuplex } from "./duplex.ts";

const opened: ConnectionPair[] = [];

afterEach(async () => {
  for (const pair of opened.splice(0)) await pair[Symbol.asyncDispose]();
});

async function openPair(): Promise<ConnectionPair> {
  const pair = await openConnectionPair();
  opened.push(pair);
  return pair;
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

it("carries bytes both ways, and ends each direction by itself", async () => {
  const pair = await openPair();
  const [client, server] = [toDuplex(pair.client), toDuplex(pair.server)];
  const sent = randomBytes(3_000_000);
  client.end(sent);
  expect(hashOf(await buffer(server))).toBe(hashOf(sent));
  server.end("the answer");
  expect(await text(client)).toBe("the answer");
  await Promise.all([pair.client.closed, pair.server.closed]);
});

it("makes a writer wait for a reader that takes nothing", async () => {
  const pair = await openPair();
  const [client, server] = [toDuplex(pair.client), toDuplex(pair.server)];
  let taken = 0;
  const write = (): void => {
    client.write(new Uint8Array(65_536), (error) => {
      if (error) return;
      taken += 65_536;
      write();
    });
  };
  client.on("error", () => undefined);
  server.on("error", () => undefined);
  write();
  let before = -1;
  await expect
    .poll(
      () => {
        const isStill = taken === before;
        before = taken;
        return isStill && taken > 0;
      },
      { interval: 100 },
    )
    .toBe(true);
  expect(taken).toBeLessThan(16 * 2 ** 20);
  expect(server.readableLength).toBeLessThan(2 ** 20);
});

it("resets the connection when it is destroyed before its end", async () => {
  const pair = await openPair();
  const [client, server] = [toDuplex(pair.client), toDuplex(pair.server)];
  const failed = new Promise((resolve) => void server.once("error", resolve));
  server.resume();
  client.destroy();
  expect(await failed).toMatchObject({ code: "reset" });
});

it("serves HTTP", async () => {
  const pair = await openPair();
  const server = createServer((incoming, response) => {
    void text(incoming).then((body) => response.end(`got ${body}`));
  });
  server.emit("connection", toDuplex(pair.server));
  const answer = await new Promise<string>((resolve, reject) => {
    const asked = request({ method: "POST", createConnection: () => toDuplex(pair.client) });
    asked.once("response", (response) => void text(response).then(resolve, reject));
    asked.once("error", reject);
    asked.end("a question");
  });
  expect(answer).toBe("got a question");
});
