import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

import { Relay, sodiumCrypto } from "@slipway/relay";
import { silentLogger, systemClock, UnfinishedBytes } from "@slipway/runtime";
import { type DerpFrame, encodeDerpFrame, parseDerpFrame } from "@slipway/wire/derp/frame";
import { DerpFrameReader } from "@slipway/wire/derp/frame-reader";
import { maxServerFrameBytes } from "@slipway/wire/derp/header";
import { encodeClientInfo } from "@slipway/wire/derp/login";
import type { FastifyInstance } from "fastify";
import { afterEach, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";

import { addDerpRoutes, RelayLogins } from "../src/network/relay/derp-routes.ts";
import { defaultLimits } from "../src/platform/config/limits.ts";
import { AnonymousStreams } from "../src/platform/http/anonymous-streams.ts";
import { limitConnections } from "../src/platform/http/connections.ts";
import { createHttpServer } from "../src/platform/http/http-server.ts";
import { bytesOf } from "./support/event-bytes.ts";

const opened = new Set<() => unknown>();
let app: FastifyInstance;
let relay: Relay;
/** All unfinished messages of the process. */
let unfinished: UnfinishedBytes;
let port: number;

afterEach(async () => {
  for (const close of opened) await close();
  opened.clear();
});

async function open(limits: Partial<typeof defaultLimits> = {}): Promise<void> {
  unfinished = new UnfinishedBytes({ maxBytes: 1024 * 1024, timeoutMs: 60_000 });
  app = await createHttpServer("v0", silentLogger, { requestTimeoutMs: 1_000, unfinished });
  const connections = limitConnections(app, { inAll: 1_000, perAddress: 1_000 }, []);
  const needs = { crypto: sodiumCrypto, clock: systemClock, logger: silentLogger };
  relay = new Relay({ ...needs, unfinished });
  const all = { ...defaultLimits, ...limits };
  const logins = new RelayLogins(all, systemClock);
  addDerpRoutes(app, { relay, streams: AnonymousStreams.ofRelay(all), logins });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  port = Number(new URL(url).port);
  const { relay: own, app: server } = { relay, app };
  opened.add(async () => {
    await own.close(0);
    connections.destroyAll();
    await server.close();
  });
}

/** A client over a real connection. */
class Client {
  readonly keys = sodiumCrypto.createKeyPair();
  readonly #reader = new DerpFrameReader(maxServerFrameBytes);
  readonly #write: (bytes: Uint8Array) => void;
  readonly #frames: DerpFrame[] = [];
  #wake: (() => void) | undefined;

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  receive(bytes: Uint8Array): void {
    this.#reader.read(Uint8Array.from(bytes), (whole, start, end) => {
      const frame = parseDerpFrame(whole, start, end);
      if (frame !== undefined) this.#frames.push(frame);
      this.#wake?.();
    });
  }

  async next(): Promise<DerpFrame> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async login(): Promise<this> {
    const first = await this.next();
    if (first.type !== "server-key") throw new Error(`got ${first.type}`);
    const nonce = sodiumCrypto.randomBytes(24);
    const info = encodeClientInfo({ meshKey: "", canAckPings: true });
    const { publicKey: key, privateKey } = this.keys;
    const box = sodiumCrypto.sealBox(info, { nonce, publicKey: first.key, privateKey });
    this.#write(encodeDerpFrame({ type: "client-info", key, nonce, box }));
    expect((await this.next()).type).toBe("server-info");
    return this;
  }

  sendPacket(to: Client, text: string): void {
    const packet = Buffer.from(text);
    this.#write(encodeDerpFrame({ type: "send-packet", destination: to.keys.publicKey, packet }));
  }

  /** Sends a packet's frame without its last byte. */
  beginPacket(length: number): void {
    const [destination, packet] = [this.keys.publicKey, new Uint8Array(length)];
    this.#write(encodeDerpFrame({ type: "send-packet", destination, packet }).subarray(0, -1));
  }

  async nextPacket(): Promise<string> {
    const frame = await this.next();
    if (frame.type !== "recv-packet") throw new Error(`got ${frame.type}`);
    return Buffer.from(frame.packet).toString();
  }
}

function rawRequest(headers: readonly string[], path = "/derp"): string {
  return `GET ${path} HTTP/1.1\r\nHost: relay\r\n${headers.map((line) => `${line}\r\n`).join("")}\r\n`;
}

const upgrade = ["User-Agent: Go-http-client/1.1", "Connection: Upgrade", "Upgrade: DERP"];

function openRaw(request: string | Uint8Array): Socket {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => socket.destroy());
  socket.write(request);
  opened.add(() => socket.destroy());
  return socket;
}

/** Upgrades, and returns the client with the head of the response. */
async function openUpgraded(): Promise<{ client: Client; head: string; socket: Socket }> {
  const socket = openRaw(rawRequest(upgrade));
  const client = new Client((bytes) => socket.write(bytes));
  let head = "";
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on("data", (chunk: Buffer) => {
    if (head.endsWith("\r\n\r\n")) return client.receive(chunk);
    const text = head + chunk.toString("latin1");
    const end = text.indexOf("\r\n\r\n");
    if (end === -1) {
      head = text;
      return;
    }
    const rest = Buffer.from(text.slice(end + 4), "latin1");
    head = text.slice(0, end + 4);
    resolve();
    client.receive(rest);
  });
  await promise;
  return { client, head, socket };
}

async function openWebSocket(): Promise<{ client: Client; socket: WebSocket }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/derp`, "derp");
  opened.add(() => socket.terminate());
  const client = new Client((bytes) => socket.send(bytes));
  socket.on("message", (data: Buffer) => client.receive(data));
  await once(socket, "open");
  return { client, socket };
}

/** Returns everything that a server sends until it closes the connection. */
async function readAll(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  await once(socket, "close");
  return text;
}

describe("the routes of the relay", () => {
  it("answers the upgrade as a stock server does, header by header", async () => {
    await open();
    const { head, client } = await openUpgraded();
    const first = await client.next();
    const key = first.type === "server-key" ? Buffer.from(first.key).toString("hex") : "";
    expect(head).toBe(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n" +
        `Derp-Version: 2\r\nDerp-Public-Key: ${key}\r\n\r\n`,
    );
  });

  it.each(["upgraded", "WebSocket"])(
    "counts an incomplete frame of a client, and gives it a time: %s",
    async (kind) => {
      await open();
      const { client } = kind === "upgraded" ? await openUpgraded() : await openWebSocket();
      await client.login();
      const gone = relay.counters.closed["unfinished-frame"];
      client.beginPacket(50_000);
      await vi.waitFor(() => expect(unfinished.bytes).toBeGreaterThan(40_000));
      unfinished.cutOffOverdue(systemClock.monotonic());
      expect(relay.counters.closed["unfinished-frame"]).toBe(gone);
      unfinished.cutOffOverdue(systemClock.monotonic() + 60_000);
      expect(relay.counters.closed["unfinished-frame"]).toBe(gone + 1);
      expect(unfinished.bytes).toBe(0);
    },
  );

  it("carries packets between an upgraded connection and a WebSocket", async () => {
    await open();
    const { client: ann } = await openUpgraded();
    const { client: bob, socket } = await openWebSocket();
    expect(socket.protocol).toBe("derp");
    await Promise.all([ann.login(), bob.login()]);
    ann.sendPacket(bob, "to the WebSocket");
    expect(await bob.nextPacket()).toBe("to the WebSocket");
    bob.sendPacket(ann, "x".repeat(60_000));
    expect(await ann.nextPacket()).toBe("x".repeat(60_000));
    ann.sendPacket(bob, "y".repeat(60_000));
    expect(await bob.nextPacket()).toBe("y".repeat(60_000));
  });

  it("keeps connections longer than a request may take", async () => {
    await open();
    const { client: ann } = await openUpgraded();
    const { client: bob } = await openWebSocket();
    await Promise.all([ann.login(), bob.login()]);
    await delay(1_500);
    ann.sendPacket(bob, "late");
    expect(await bob.nextPacket()).toBe("late");
  });

  it("begins at once for a client that wants a fast start, whose login may come with its request", async () => {
    await open();
    const socket = openRaw(rawRequest([...upgrade, "Derp-Fast-Start: 1"]));
    const first: unknown[] = await once(socket, "data");
    expect(bytesOf(first).subarray(0, 13).toString("hex")).toBe("010000002844455250f09f9491");
    const early = openRaw(`${rawRequest([...upgrade, "Derp-Fast-Start: 1"])}\u0006\0\0\0\0`);
    // The first frame, which is not a login, was read: the relay closes.
    expect(await readAll(early)).toContain("DERP");
  });

  it.each([
    ["no upgrade", rawRequest([])],
    ["an unknown upgrade", rawRequest(["Connection: Upgrade", "Upgrade: other"])],
    [
      "a WebSocket of another protocol",
      rawRequest([
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: other",
      ]),
    ],
  ])("refuses %s", async (_, request) => {
    await open();
    const answer = await readAll(openRaw(request));
    expect(answer).toMatch(/^HTTP\/1\.1 426 /);
    expect(answer).toMatch(/DERP requires connection upgrade$/);
  });

  it("answers the latency check, whatever host it names", async () => {
    await open();
    const request = rawRequest(["Connection: close"], "/derp/latency-check");
    const answer = await readAll(openRaw(request));
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).toMatch(/\r\n\r\n$/);
  });

  it("refuses more clients than the limits allow, until some leave", async () => {
    await open({ maxRelayClientsPerAddress: 2 });
    const { socket } = await openUpgraded();
    await openWebSocket();
    const refused = await readAll(openRaw(rawRequest(upgrade)));
    expect(refused).toMatch(/^HTTP\/1\.1 429 /);
    expect(refused).toContain("SLIPWAY_MAX_RELAY_CLIENTS_PER_ADDRESS");
    socket.destroy();
    await expect.poll(() => relay.counters.clients).toBe(0);
    await expect.poll(async () => (await openUpgraded()).head).toContain("101");
  });

  it("refuses more clients than the server may have", async () => {
    await open({ maxRelayClients: 1 });
    await openUpgraded();
    const refused = await readAll(openRaw(rawRequest(upgrade)));
    expect(refused).toMatch(/^HTTP\/1\.1 503 /);
    expect(refused).toContain("SLIPWAY_MAX_RELAY_CLIENTS");
  });

  it.each([
    ["maxRelayLoginsPerAddress", "SLIPWAY_MAX_RELAY_LOGINS_PER_ADDRESS"],
    ["maxRelayLogins", "SLIPWAY_MAX_RELAY_LOGINS."],
  ])("refuses clients that connect too often: %s", async (limit, variable) => {
    await open({ [limit]: 3 });
    for (let count = 0; count < 3; count += 1) (await openUpgraded()).socket.destroy();
    const refused = await readAll(openRaw(rawRequest(upgrade)));
    // Not a 4xx, after which stock clients would use WebSockets.
    expect(refused).toMatch(/^HTTP\/1\.1 503 /);
    expect(refused).toContain(variable);
  });

  it("counts the connections of one network of IPv6 together", () => {
    const limits = { maxRelayLogins: 9, maxRelayLoginsPerAddress: 2 };
    const logins = new RelayLogins(limits, { monotonic: () => 0 });
    for (const host of ["1", "2"]) logins.count(`2001:db8::${host}`);
    expect(() => logins.count("2001:db8::3")).toThrow("Your address connects");
    logins.count("2001:db8:0:1::1");
  });

  it("closes a connection whose frames break the protocol", async () => {
    await open();
    const { client, socket } = await openUpgraded();
    await client.login();
    socket.write(Buffer.from("04ffffffff", "hex"));
    await once(socket, "close");
    const { client: other, socket: web } = await openWebSocket();
    await other.login();
    web.send(Buffer.from("04ffffffff", "hex"));
    await once(web, "close");
    expect(relay.counters.clients).toBe(0);
  });

  it("tells clients to come back when it closes, and refuses others", async () => {
    await open();
    const { client: ann, socket } = await openUpgraded();
    const { client: bob, socket: web } = await openWebSocket();
    await Promise.all([ann.login(), bob.login()]);
    const ended = Promise.all([once(socket, "close"), once(web, "close")]);
    await relay.close(1_000);
    expect((await ann.next()).type).toBe("restarting");
    expect((await bob.next()).type).toBe("restarting");
    const [, [code]] = await ended;
    expect(code).toBe(1011);
    expect(await readAll(openRaw(rawRequest(upgrade)))).toMatch(/^HTTP\/1\.1 503 /);
  });
});
