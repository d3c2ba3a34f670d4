import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, Socket } from "node:net";

import { LoopTurn } from "@slipway/runtime";
import { afterEach, expect, it } from "vitest";

import { InboundTurns } from "./inbound-turns.ts";
import { feedRequests } from "./request-feed.ts";

let opened = new AsyncDisposableStack();

afterEach(async () => {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
});

interface Pending {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** A server that passes its requests to the test, and a connection to it. */
async function openFed(turns = new InboundTurns()): Promise<{
  readonly client: Socket;
  readonly received: () => string;
  readonly pending: Pending[];
  readonly arrived: (count: number) => Promise<void>;
  readonly server: ReturnType<typeof createServer>;
}> {
  const pending: Pending[] = [];
  const server = createServer((request, response) => {
    pending.push({ request, response });
    server.emit("test-arrived");
  });
  feedRequests(server, turns, () => "client");
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const client = connect(port, "127.0.0.1");
  client.on("error", () => client.destroy());
  let text = "";
  client.setEncoding("latin1").on("data", (chunk) => (text += String(chunk)));
  opened.defer(async () => {
    client.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const arrived = async (count: number): Promise<void> => {
    while (pending.length < count) await once(server, "test-arrived");
  };
  return { client, received: () => text, pending, arrived, server };
}

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
}

it("starts a request only when the one before has been answered", async () => {
  const { client, pending, arrived } = await openFed();
  client.write(get("/a") + get("/b") + get("/c"));
  await arrived(1);
  for (const count of [2, 3]) {
    expect(pending).toHaveLength(count - 1);
    pending.at(-1)?.response.end("x");
    await arrived(count);
  }
  expect(pending.map(({ request }) => request.url)).toEqual(["/a", "/b", "/c"]);
});

it("reads no more of a connection while a request is under way", async () => {
  const { client, pending, arrived, server } = await openFed();
  const flood = Buffer.from(get("/again").repeat(400_000));
  client.write(get("/first"));
  await arrived(1);
  const socket = pending[0]?.request.socket;
  client.write(flood);
  // The system accepts only a small part of it.
  for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
  expect(socket?.isPaused()).toBe(true);
  expect(socket?.bytesRead).toBeLessThan(1024 * 1024);
  expect(pending).toHaveLength(1);
  server.closeAllConnections();
});

it("closes a connection after a last answer, whatever was sent after the request", async () => {
  const { client, received, pending, arrived } = await openFed();
  client.write(get("/a") + get("/b").repeat(100));
  await arrived(1);
  pending[0]?.response.writeHead(429, { Connection: "close" }).end();
  await once(client, "close");
  expect(pending).toHaveLength(1);
  expect(received()).toMatch(/^HTTP\/1\.1 429 /);
});

it("passes on the body of a request that is under way, and not the request after it", async () => {
  const { client, pending, arrived } = await openFed();
  const post = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n";
  client.write(`${post}ab\r\n\r\ncd\r\n\r\n${get("/b")}`);
  await arrived(1);
  let body = "";
  for await (const chunk of pending[0]?.request ?? []) body += String(chunk);
  expect(body).toBe("ab\r\n\r\ncd\r\n\r\n");
  expect(pending).toHaveLength(1);
  pending[0]?.response.end();
  await arrived(2);
  expect(pending[1]?.request.url).toBe("/b");
});

it("passes on a chunked body", async () => {
  const { client, pending, arrived } = await openFed();
  client.write(
    "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
      `8\r\n\r\n\r\n\r\n\r\n\r\n3\r\nabc\r\n0\r\n\r\n${get("/b")}`,
  );
  await arrived(1);
  let body = "";
  for await (const chunk of pending[0]?.request ?? []) body += String(chunk);
  expect(body).toBe("\r\n\r\n\r\n\r\nabc");
  pending[0]?.response.end();
  await arrived(2);
  expect(pending[1]?.request.url).toBe("/b");
});

it("goes on after an answer that came before the body", async () => {
  const { client, pending, arrived } = await openFed();
  client.write("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n");
  await arrived(1);
  pending[0]?.response.end();
  client.write(`body${get("/b")}`);
  await arrived(2);
  expect(pending[1]?.request.url).toBe("/b");
});

it("leaves an upgraded connection all bytes that came after the request", async () => {
  const { client, server } = await openFed();
  const upgraded = once(server, "upgrade");
  client.write(
    "GET /a HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\nfirst\r\n\r\nsecond\r\n\r\n",
  );
  const [, socket, head]: readonly unknown[] = await upgraded;
  if (!(socket instanceof Socket)) throw new TypeError("expected a socket");
  let text = String(head);
  socket.on("data", (chunk) => (text += String(chunk)));
  client.end();
  await once(socket, "end");
  expect(text).toBe("first\r\n\r\nsecond\r\n\r\n");
  socket.destroy();
});

it("reads a connection in its turn", async () => {
  let now = 0;
  const turns = new InboundTurns(new LoopTurn(1, () => now));
  const { client, pending, arrived } = await openFed(turns);
  // The turn ends before any of it is read, and each following turn starts when the previous one ends.
  const busy = setInterval(() => {
    turns.run("busy", () => (now += 1));
  });
  client.write(get("/a"));
  await arrived(1);
  clearInterval(busy);
  expect(pending[0]?.request.url).toBe("/a");
});

it("refuses an expectation that it does not know, and closes the connection", async () => {
  const { client, received, pending } = await openFed();
  client.write(`GET /a HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n${get("/b")}`);
  await once(client, "close");
  expect(received()).toMatch(/^HTTP\/1\.1 417 /);
  expect(pending).toHaveLength(0);
});
