import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";

import { openLocalServer } from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";

import { watchClient } from "./client-disconnect.ts";

/** Opens an unanswered request, with its sender. */
async function openRequest(): Promise<{ raw: IncomingMessage; sender: Socket }> {
  const server = createServer();
  const { port, [Symbol.asyncDispose]: close } = await openLocalServer(server);
  onTestFinished(close);
  const sender = connect(port, "127.0.0.1");
  sender.write("GET / HTTP/1.1\r\nHost: here\r\n\r\n");
  const raw = await new Promise<IncomingMessage>((resolve) => {
    server.once("request", resolve);
  });
  return { raw, sender };
}

it("aborts when the client disconnects", async () => {
  const { raw, sender } = await openRequest();
  using client = watchClient({ raw });
  expect(client.signal.aborted).toBe(false);
  sender.resetAndDestroy();
  await once(client.signal, "abort");
});

it("aborts at once for a client that disconnected before", async () => {
  const { raw, sender } = await openRequest();
  sender.resetAndDestroy();
  await new Promise((resolve) => {
    raw.socket.once("close", resolve);
  });
  using client = watchClient({ raw });
  expect(client.signal.aborted).toBe(true);
});

it("leaves nothing on a connection that goes on", async () => {
  const { raw } = await openRequest();
  const before = raw.socket.listenerCount("close");
  const client = watchClient({ raw });
  client[Symbol.dispose]();
  expect(raw.socket.listenerCount("close")).toBe(before);
});
