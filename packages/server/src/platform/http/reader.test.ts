import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";

import { openLocalServer } from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";

import { watchReader } from "./reader.ts";

/** Opens a request that is not answered, with its sender. */
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

it("says that a reader goes", async () => {
  const { raw, sender } = await openRequest();
  using reader = watchReader({ raw });
  expect(reader.signal.aborted).toBe(false);
  sender.resetAndDestroy();
  await once(reader.signal, "abort");
});

it("reports a reader that left before as gone", async () => {
  const { raw, sender } = await openRequest();
  sender.resetAndDestroy();
  await new Promise((resolve) => {
    raw.socket.once("close", resolve);
  });
  using reader = watchReader({ raw });
  expect(reader.signal.aborted).toBe(true);
});

it("leaves nothing on a connection that goes on", async () => {
  const { raw } = await openRequest();
  const before = raw.socket.listenerCount("close");
  const reader = watchReader({ raw });
  reader[Symbol.dispose]();
  expect(raw.socket.listenerCount("close")).toBe(before);
});
