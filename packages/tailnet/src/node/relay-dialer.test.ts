import { createServer, type Socket } from "node:net";

import { silentLogger, systemClock } from "@slipway/runtime";
import { openLocalServer } from "@slipway/testkit";
import { openRelayServer, type RelayServer } from "@slipway/testkit/relay";
import { encodeHex } from "@slipway/wire/bytes/hex";
import { expect, it, onTestFinished, vi } from "vitest";

import { mapOf, nodeAt, regionOf } from "../../tests/support/regions.ts";
import { nobleCrypto } from "../crypto/noble-crypto.ts";
import { createBrowserDialer, createBrowserFetchLatency } from "../relay/browser-dialer.ts";
import type { DerpNode } from "../relay/derp-map.ts";
import { RelayError, type RelayRung } from "../relay/errors.ts";
import { measureRegions } from "../relay/region-latency.ts";
import { RelayPool } from "../relay/relay-pool.ts";
import type { RelayDialer, RelayTransport } from "../relay/relay-stream.ts";
import { createFetchLatency } from "./fetch-latency.ts";
import { createRelayDialer } from "./relay-dialer.ts";

const { signal } = new AbortController();

async function openServer(
  options: Parameters<typeof openRelayServer>[0] = {},
): Promise<RelayServer> {
  const server = await openRelayServer(options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

class TestPeer {
  readonly keys = nobleCrypto.createKeyPair();
  readonly received: Buffer[] = [];
  receivedBytes = 0;
  readonly pool: RelayPool;

  constructor(node: DerpNode, dialer: RelayDialer) {
    this.pool = new RelayPool({
      identity: this.keys,
      crypto: nobleCrypto,
      clock: systemClock,
      logger: silentLogger,
      dialer,
      onPackets: (_regionId, _source, packets) => {
        for (const packet of packets) {
          this.received.push(Buffer.from(packet));
          this.receivedBytes += packet.length;
        }
      },
    });
    onTestFinished(() => this.pool.close());
    this.pool.setMap(mapOf(regionOf(1, node)));
    this.pool.setHome(1);
  }

  async connected(): Promise<RelayTransport> {
    return vi.waitFor(
      () => {
        const connection = this.pool.statuses()[0]?.connection;
        if (connection?.type !== "connected") throw new Error("not connected");
        return connection.transport;
      },
      { timeout: 10_000 },
    );
  }

  send(to: TestPeer, packets: readonly Uint8Array[]): void {
    this.pool.send(1, to.keys.publicKey, packets);
  }
}

const dialers: readonly (readonly [string, RelayDialer, RelayTransport])[] = [
  ["an upgrade", createRelayDialer(), "upgrade"],
  ["a WebSocket", { ...createRelayDialer(), canUpgrade: false }, "websocket"],
  ["a browser's WebSocket", createBrowserDialer(systemClock), "websocket"],
];

it.each(dialers)(
  "carries packets of all sizes through a relay by %s",
  async (_name, dialer, transport) => {
    const server = await openServer();
    const node = nodeAt(server.port);
    const [ann, bob] = [new TestPeer(node, dialer), new TestPeer(node, dialer)];
    expect(await Promise.all([ann.connected(), bob.connected()])).toEqual([transport, transport]);
    const sizes = [0, 1, 1_280, 65_536, 16_347, 16_348];
    const packets = sizes.map((size, at) => Buffer.alloc(size, at + 1));
    ann.send(bob, packets);
    await expect.poll(() => bob.received.length).toBe(sizes.length);
    expect(bob.received.map(encodeHex)).toEqual(packets.map(encodeHex));
    bob.send(ann, [Buffer.from("answer")]);
    await expect.poll(() => ann.received.map(String)).toEqual(["answer"]);
  },
);

it("carries twenty megabytes in order while its receiver keeps up", async () => {
  const server = await openServer({ limits: { maxQueuedBytesPerClient: 32 * 1024 * 1024 } });
  const node = nodeAt(server.port);
  const ann = new TestPeer(node, createRelayDialer());
  const bob = new TestPeer(node, createRelayDialer());
  await Promise.all([ann.connected(), bob.connected()]);
  const total = 16_384;
  for (let number = 0; number < total; number += 64) {
    ann.send(
      bob,
      Array.from({ length: 64 }, (_, at) => {
        const packet = Buffer.alloc(1_280);
        packet.writeUInt32BE(number + at);
        return packet;
      }),
    );
    await expect.poll(() => bob.received.length, { interval: 1 }).toBe(number + 64);
  }
  expect(bob.received.every((packet, at) => packet.readUInt32BE() === at)).toBe(true);
});

it("gives headers of one server to no other", async () => {
  const [own, other] = [await openServer(), await openServer()];
  const options = { headers: { "X-Extra": "yes" }, headersOrigin: own.url };
  for (const { port } of [own, other]) {
    const node = nodeAt(port);
    await createFetchLatency(options)(node, signal);
    await new TestPeer(node, createRelayDialer(options)).connected();
  }
  const given = (server: RelayServer): readonly unknown[] =>
    server.requests.map(({ headers }) => headers["x-extra"]);
  expect([given(own), given(other)]).toEqual([
    ["yes", "yes"],
    [undefined, undefined],
  ]);
});

it("uses a WebSocket after a refusal, with its headers, and keeps the relay's words", async () => {
  const server = await openServer({ refusal: 403 });
  const dialer = createRelayDialer({ headers: { "X-Extra": "yes" } });
  const peer = new TestPeer(nodeAt(server.port), dialer);
  expect(await peer.connected()).toBe("websocket");
  expect([...peer.pool.forcedWebSockets()]).toEqual([[1, "403 Refused: no upgrades here"]]);
  expect(server.requests.map(({ upgrade, headers }) => [upgrade, headers["x-extra"]])).toEqual([
    ["DERP", "yes"],
    ["websocket", "yes"],
  ]);
});

it("keeps to upgrades after a failure of the server", async () => {
  const server = await openServer({ refusal: 502 });
  const peer = new TestPeer(nodeAt(server.port), createRelayDialer());
  await expect.poll(() => server.requests.length).toBeGreaterThan(1);
  expect(new Set(server.requests.map(({ upgrade }) => upgrade))).toEqual(new Set(["DERP"]));
  expect(peer.pool.statuses()[0]?.lastFailure).toMatchObject({ rung: "upgrade" });
});

it("comes back after the relay has restarted", async () => {
  const server = await openServer();
  const peer = new TestPeer(nodeAt(server.port), createRelayDialer());
  await peer.connected();
  const closing = server.relay.close(100);
  // The next attempt fails differently.
  await expect
    .poll(() => peer.pool.statuses()[0], { interval: 1 })
    .toMatchObject({ connection: { type: "waiting" }, lastFailure: { rung: "session" } });
  await closing;
});

it("looks names up as it is told, or takes the addresses of the map", async () => {
  const server = await openServer();
  const looked: string[] = [];
  const dialer = createRelayDialer({
    lookup: (host, options, callback) => {
      looked.push(host);
      if (options.all === true) callback(null, [{ address: "127.0.0.1", family: 4 }]);
      else callback(null, "127.0.0.1", 4);
    },
  });
  const node = nodeAt(server.port, { hostName: "relay.test" });
  await new TestPeer(node, dialer).connected();
  await new TestPeer({ ...node, ipv4: "127.0.0.1" }, dialer).connected();
  expect(looked).toEqual(["relay.test"]);
  expect(server.requests[0]?.headers.host).toBe(`relay.test:${server.port}`);
});

/** Answers each connection with a script. */
async function openRaw(serve: (socket: Socket) => void): Promise<number> {
  const server = await openLocalServer(createServer(serve));
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server.port;
}

const failures: readonly (readonly [string, RelayRung, () => Promise<Partial<DerpNode>>])[] = [
  ["a name that nobody knows", "dns", async () => ({ hostName: "relay.invalid" })],
  ["a port where nobody listens", "tcp", async () => ({ port: 1 })],
  [
    "a server without TLS",
    "tls",
    async () => ({
      port: await openRaw((socket) => socket.end("plain text\r\n\r\n")),
      isHttp: false,
    }),
  ],
  [
    "a server that hangs up",
    "http",
    async () => ({ port: await openRaw((socket) => socket.destroy()) }),
  ],
  [
    "a server that speaks something else",
    "http",
    async () => ({ port: await openRaw((socket) => socket.end("SSH-2.0-x\r\n")) }),
  ],
  [
    "an upgrade to something else",
    "upgrade",
    async () => ({
      port: await openRaw((socket) =>
        socket.write(
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n",
        ),
      ),
    }),
  ],
];

it.each(failures)("names the step at which it failed: %s", async (_what, rung, changes) => {
  const node = nodeAt(1, await changes());
  const dialing = createRelayDialer().dial(node, "upgrade", signal);
  const error: unknown = await dialing.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RelayError);
  expect(error).toMatchObject({ rung });
});

it.each(["upgrade", "websocket"] as const)(
  "stops dialing by %s with the signal",
  async (transport) => {
    const port = await openRaw(() => undefined);
    const stop = new AbortController();
    const dialing = createRelayDialer().dial(nodeAt(port), transport, stop.signal);
    stop.abort(new Error("enough"));
    await expect(dialing).rejects.toThrow("enough");
  },
);

it("survives a relay that sends garbage after the upgrade", async () => {
  let connections = 0;
  const port = await openRaw((socket) => {
    connections += 1;
    socket.once("data", () => {
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n\r\n",
      );
      socket.write(Buffer.alloc(100_000, "garbage"));
    });
  });
  const peer = new TestPeer(nodeAt(port), createRelayDialer());
  await expect.poll(() => connections).toBeGreaterThan(2);
  expect(peer.pool.statuses()[0]?.lastFailure).toMatchObject({ rung: "login" });
});

it.each([
  ["Node.js", createFetchLatency({ headers: { "X-Extra": "yes" } })],
  ["a browser", createBrowserFetchLatency(systemClock)],
])("measures the latency of relays as %s does", async (_name, fetchLatency) => {
  const server = await openServer();
  const map = mapOf(
    regionOf(1, nodeAt(server.port)),
    regionOf(2, nodeAt(1)),
    regionOf(3, nodeAt(await openRaw((socket) => socket.end("HTTP/1.1 500 No\r\n\r\n")))),
  );
  const report = await measureRegions(map, { fetchLatency, clock: systemClock, signal });
  expect([...report.keys()]).toEqual([1]);
  const latency = report.get(1);
  expect(latency?.family).toBe("v4");
  expect(latency?.latencyMs).toBeGreaterThan(0);
  expect(latency?.latencyMs).toBeLessThan(2_000);
  expect(server.requests.map(({ path }) => path)).toEqual(["/derp/latency-check"]);
});
