import { once } from "node:events";
import type { Socket } from "node:net";

// oxlint-disable-next-line import/no-unassigned-import -- for the type of wsHandler
import "@fastify/websocket";
import { LoopTurn, silentLogger, UnfinishedBytes } from "@slipway/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";

import { createHttpServer } from "./http-server.ts";
import { InboundTurns } from "./inbound-turns.ts";

/* WebSockets of a real listener, with routes of different limits. */

/** The time limit of a test: a busy machine is slow. */
const soon = { timeout: 20_000 };

let app: Awaited<ReturnType<typeof createHttpServer>>;
let unfinished: UnfinishedBytes;
let served: WebSocket[] = [];
let clients: WebSocket[] = [];
/** The lengths of the messages that the server received. */
let received: number[] = [];

beforeEach(async () => {
  served = [];
  clients = [];
  // A socket of an earlier test still delivers to that test's list.
  const own: number[] = [];
  received = own;
  unfinished = new UnfinishedBytes({ maxBytes: 200_000, timeoutMs: 1_000 });
  app = await createHttpServer("v0", silentLogger, { unfinished });
  const wsHandler = (socket: WebSocket): void => {
    served.push(socket);
    socket.on("message", (data: Buffer) => own.push(data.length));
  };
  const handler = (): string => "plain";
  const add = (url: string, config: object): void =>
    void app.route({
      method: "GET",
      url,
      config: { takesSockets: true, ...config },
      handler,
      wsHandler,
    });
  add("/stream", {});
  add("/large", { maxMessageBytes: 300_000, isRelay: true });
  await app.listen({ host: "127.0.0.1", port: 0 });
});

afterEach(async () => {
  // A server that waits to read does not notice the end of its client.
  for (const socket of [...clients, ...served]) socket.terminate();
  await app.close();
});

async function open(path: string): Promise<{ client: WebSocket; server: WebSocket }> {
  const address = app.server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const client = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  client.on("error", () => undefined);
  clients.push(client);
  await once(client, "open");
  const server = served.at(-1);
  if (server === undefined) throw new TypeError("no socket was served");
  return { client, server };
}

async function closeOf(client: WebSocket): Promise<{ code: unknown; reason: string }> {
  const [code, reason]: readonly unknown[] = await once(client, "close");
  return { code, reason: String(reason) };
}

describe("a message", () => {
  it("that is refused is read no further than its peer's close needs", async () => {
    const connected: Promise<readonly Socket[]> = once(app.server, "connection");
    const { client, server } = await open("/stream");
    const [connection] = await connected;
    client.send(Buffer.alloc(1025), { fin: false });
    for (let part = 0; part < 64; part += 1) client.send(Buffer.alloc(64 * 1024), { fin: false });
    await expect.poll(() => connection?.isPaused(), soon).toBe(true);
    expect(server.readyState).toBe(WebSocket.CLOSING);
    // Chunks already read by the system are added to this; 4 MiB were sent.
    expect(connection?.bytesRead).toBeLessThan(1024 * 1024);
    server.terminate();
  });

  it("larger than its route takes closes the socket before it has arrived", async () => {
    const { client } = await open("/stream");
    client.send(Buffer.alloc(1024));
    await expect.poll(() => received, soon).toEqual([1024]);
    client.send(Buffer.alloc(1025), { fin: false });
    expect(await closeOf(client)).toEqual({
      code: 1009,
      reason: "a message may have at most 1024 bytes",
    });
    expect(received).toEqual([1024]);
  });

  it("counts with the parts in which it comes", async () => {
    const { client } = await open("/stream");
    for (let part = 0; part < 4; part += 1) client.send(Buffer.alloc(300), { fin: false });
    expect(await closeOf(client)).toMatchObject({ code: 1009 });
  });

  it("that is not complete counts until it is", async () => {
    const { client } = await open("/large");
    client.send(Buffer.alloc(100_000), { fin: false });
    await expect.poll(() => unfinished.bytes, soon).toBe(100_256);
    client.send(Buffer.alloc(50_000), { fin: true });
    await expect.poll(() => received, soon).toEqual([150_000]);
    expect(unfinished.bytes).toBe(0);
  });

  it("that is not completed in time costs its connection", async () => {
    const { client } = await open("/large");
    client.send(Buffer.alloc(10), { fin: false });
    await expect.poll(() => unfinished.bytes, soon).toBeGreaterThan(0);
    unfinished.cutOffOverdue(Infinity);
    expect(await closeOf(client)).toEqual({
      code: 1013,
      reason: "a message was not completed in time",
    });
    expect(unfinished.bytes).toBe(0);
  });

  it("costs the oldest connection when all together hold too much", async () => {
    const oldest = await open("/large");
    oldest.client.send(Buffer.alloc(120_000), { fin: false });
    await expect.poll(() => unfinished.bytes, soon).toBeGreaterThan(120_000);
    const closed = closeOf(oldest.client);
    const other = await open("/large");
    other.client.send(Buffer.alloc(120_000), { fin: false });
    expect(await closed).toMatchObject({
      code: 1013,
      reason: expect.stringContaining("SLIPWAY_MAX_UNFINISHED_BYTES"),
    });
    other.client.send(Buffer.alloc(1));
    await expect.poll(() => received, soon).toEqual([120_001]);
  });

  it("counts no more once its connection is gone", async () => {
    const { client } = await open("/large");
    client.send(Buffer.alloc(10), { fin: false });
    await expect.poll(() => unfinished.bytes, soon).toBeGreaterThan(0);
    client.terminate();
    await expect.poll(() => unfinished.bytes, soon).toBe(0);
  });
});

describe("a flood of frames", () => {
  it("of a stranger waits, and so does what comes after it", async () => {
    const { client } = await open("/stream");
    // Each costs 512 bytes of a budget of 256 KiB, which refills by 64 frames a second.
    for (let count = 0; count < 5_000; count += 1) client.send("");
    await expect.poll(() => received.length, soon).toBeGreaterThanOrEqual(512);
    for (let turn = 0; turn < 500; turn += 1) await new Promise(setImmediate);
    expect(received.length).toBeLessThan(4_000);
    client.terminate();
  });

  it("is not read while the messages are not taken", async () => {
    const { client, server } = await open("/large");
    server.once("message", () => server.pause());
    for (let count = 0; count < 1_000; count += 1) client.send("x");
    await expect.poll(() => received.length, soon).toBeGreaterThan(0);
    // The rest of the piece is in flight.
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    expect(received.length).toBeLessThanOrEqual(16);
    server.resume();
    await expect.poll(() => received.length, soon).toBe(1_000);
  });

  it("comes in turns with everybody else", async () => {
    await app.close();
    const order: string[] = [];
    let now = 0;
    const turns = new InboundTurns(new LoopTurn(1, () => now));
    app = await createHttpServer("v0", silentLogger, { turns });
    const wsHandler = (socket: WebSocket): void => {
      socket.on("message", () => {
        now += 1;
        order.push("frame");
      });
      served.push(socket);
    };
    const config = { takesSockets: true, maxMessageBytes: 10, isRelay: true };
    app.route({ method: "GET", url: "/turns", config, handler: () => "plain", wsHandler });
    await app.listen({ host: "127.0.0.1", port: 0 });
    const { client, server } = await open("/turns");
    server.once("message", () => turns.run("other", () => order.push("other")));
    for (let count = 0; count < 1_000; count += 1) client.send("x");
    await expect.poll(() => order.length, soon).toBe(1_001);
    // One piece before it, and at most one more that was started.
    expect(order.indexOf("other")).toBeLessThanOrEqual(32);
  });
});
