import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Relay, serveSocket, sodiumCrypto } from "@slipway/relay";
import {
  type Clock,
  type LogFields,
  type Logger,
  Scope,
  silentLogger,
  systemClock,
} from "@slipway/runtime";
import { createRelayDialer } from "@slipway/tailnet/node/relay-dialer";
import {
  createFakeClock,
  openLocalServer,
  openTestDatabase,
  type ServerProcess,
  startServerProcess,
  type TestDatabase,
} from "@slipway/testkit";
import { sql } from "kysely";
import { beforeEach, describe, expect, inject, it, onTestFinished } from "vitest";

import { ensureMeshKey, readMeshKey } from "../../src/network/relay/mesh-key.ts";
import { RelayMesh, upsertReplica } from "../../src/network/relay/relay-mesh.ts";
import { SecretBox } from "../../src/platform/auth/secret-box.ts";
import { connectionOptions } from "../../src/platform/db/database.ts";
import { PostgresPubSub } from "../../src/platform/pubsub/postgres-pubsub.ts";
import { exchange, RelayedClient } from "../support/relayed-client.ts";

/* Relays of several replicas, which carry packets for each other's clients. */

let database: TestDatabase;

beforeEach(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
  onTestFinished(() => database[Symbol.asyncDispose]());
});

async function readMetrics(url: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line.startsWith("slipway_relay_"));
  return new Map(lines.map((line) => [line.split(" ")[0] ?? "", Number(line.split(" ")[1])]));
}

describe("two server processes on one database", () => {
  const secret = randomBytes(32).toString("hex");

  async function start(): Promise<ServerProcess> {
    const dataDir = await mkdtemp(join(tmpdir(), "slipway-test-"));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const environment = { SLIPWAY_POSTGRES_URL: database.url, SLIPWAY_SECRET_KEY: secret };
    const server = await startServerProcess({ dataDir, port: 0, environment });
    onTestFinished(() => server.end("SIGKILL"));
    return server;
  }

  it("carry packets between their clients, also after one was killed and replaced", async () => {
    const [first, second] = [await start(), await start()];
    const [ann, bob] = [new RelayedClient(first.url), new RelayedClient(second.url)];
    await exchange(ann, bob, "to the other replica");
    await exchange(bob, ann, "and back");
    await expect
      .poll(async () => (await readMetrics(first.url)).get("slipway_relay_links"))
      .toBe(2);
    const metrics = await readMetrics(first.url);
    expect(metrics.get("slipway_relay_replicas")).toBe(1);
    expect(metrics.get("slipway_relay_forwarded_packets_total")).toBeGreaterThan(0);

    await second.end("SIGKILL");
    await expect
      .poll(async () => (await readMetrics(first.url)).get("slipway_relay_links"))
      .toBe(0);
    const third = await start();
    const eve = new RelayedClient(third.url);
    await exchange(eve, ann, "from the new replica");
    await exchange(ann, eve, "to the new replica");
  });

  it("forget a replica at once that was stopped", async () => {
    const [first, second] = [await start(), await start()];
    const replicas = async (): Promise<number | undefined> =>
      (await readMetrics(first.url)).get("slipway_relay_replicas");
    await expect.poll(replicas, { timeout: 15_000 }).toBe(1);
    await second.end("SIGINT");
    expect(await database.db.selectFrom("relay_replicas").select("url").execute()).toEqual([
      { url: first.url },
    ]);
    await expect.poll(replicas, { timeout: 15_000 }).toBe(0);
  });
});

/** A relay on a port of this machine, and in the mesh. */
interface Replica {
  readonly url: string;
  readonly relay: Relay;
  readonly mesh: RelayMesh;
  readonly stop: () => Promise<void>;
}

async function openReplica({
  meshKey,
  logger = silentLogger,
  host = "this-machine",
  announcedUrl,
  clock = systemClock,
}: {
  readonly meshKey: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly host?: string;
  readonly announcedUrl?: string;
}): Promise<Replica> {
  const { db } = database;
  const relay = new Relay({
    crypto: sodiumCrypto,
    clock: systemClock,
    logger: silentLogger,
    meshKey,
  });
  const http = createServer();
  http.on("upgrade", (_request, socket) => {
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n\r\n",
    );
    serveSocket(socket, (transport) => relay.accept(transport));
  });
  const { url, ...listening } = await openLocalServer(http);
  const self = { id: relay.id, url: announcedUrl ?? url, host };
  const pubsub = openPubSub();
  const needs = { db, pubsub, clock, logger, relay, dialer: createRelayDialer(), self };
  const mesh = await RelayMesh.open(needs);
  const scope = new Scope();
  scope.run((signal) => mesh.run(signal));
  onTestFinished(async () => {
    await scope.close();
    await relay.close(0);
    await listening[Symbol.asyncDispose]();
  });
  return { url, relay, mesh, stop: () => scope.close() };
}

function openPubSub(): PostgresPubSub {
  const { db, url } = database;
  const pubsub = new PostgresPubSub({
    db,
    connection: connectionOptions({ url }),
    replicaId: randomUUID(),
    clock: systemClock,
    logger: silentLogger,
  });
  onTestFinished(() => pubsub[Symbol.asyncDispose]());
  return pubsub;
}

/** Keeps warnings, and messages logged at level info. */
function recordingLogger(warnings: string[], infos: string[] = []): Logger {
  const keepIn = (messages: string[]) => (fields: LogFields, message: string) =>
    void messages.push(`${message}: ${String(fields["error"])}`);
  return {
    ...silentLogger,
    warn: keepIn(warnings),
    info: keepIn(infos),
    child: () => recordingLogger(warnings, infos),
  };
}

describe("the mesh", () => {
  it("does not link relays that have another key, and tells so once", async () => {
    const messages: string[] = [];
    const one = await openReplica({ meshKey: "one", logger: recordingLogger(messages) });
    const other = await openReplica({ meshKey: "other" });
    await expect.poll(() => other.relay.counters.closed["login-refused"]).toBeGreaterThan(0);
    await expect.poll(() => messages.length, { timeout: 15_000 }).toBeGreaterThan(0);
    expect(one.relay.counters.forwardedPackets).toBe(0);
    expect(messages).toEqual([
      "no link to the relay of another replica: the two relays do not trust each other; if the other replica runs another " +
        "release, upgrade it: until then, peers that are connected to different ones of the two reach each other by direct " +
        "paths only",
    ]);
  });

  it("says of a relay that closes the connection at once only that it did", async () => {
    const messages: string[] = [];
    const http = createServer();
    http.on("upgrade", (_request, socket) => {
      socket.end(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n\r\n",
      );
    });
    const { url, ...listening } = await openLocalServer(http);
    onTestFinished(() => listening[Symbol.asyncDispose]());
    await upsertReplica(database.db, { id: randomUUID(), url, host: "this-machine" });
    await openReplica({ meshKey: "key", logger: recordingLogger(messages) });
    await expect
      .poll(() => messages, { timeout: 15_000 })
      .toEqual(["no link to the relay of another replica: the other relay closed the connection"]);
  });

  it("forgets a relay once it has been silent for half a minute, and not before", async () => {
    const { db } = database;
    for (const seconds of [20, 40]) {
      const id = randomUUID();
      await upsertReplica(db, { id, url: `http://127.0.0.1:${seconds}`, host: "elsewhere" });
      await sql`update relay_replicas set heartbeat_at = now() - make_interval(secs => ${seconds})
        where id = ${id}`.execute(db);
    }
    const { url } = await openReplica({ meshKey: "key" });
    const known = async () =>
      (await db.selectFrom("relay_replicas").select("url").execute()).map((one) => one.url);
    await expect.poll(known).not.toContain("http://127.0.0.1:40");
    expect(new Set(await known())).toEqual(new Set([url, "http://127.0.0.1:20"]));
  });

  it("links to a new relay, and forgets one that stops, before the next heartbeat", async () => {
    // Heartbeats practically never happen, and neither do further attempts.
    const clock = {
      ...systemClock,
      sleep: (ms: number, signal: AbortSignal) => systemClock.sleep(ms * 1_000, signal),
    };
    const messages: string[] = [];
    const logger = recordingLogger(messages);
    const one = await openReplica({ meshKey: "key", clock, logger });
    const other = await openReplica({ meshKey: "key", clock });
    for (const { relay } of [one, other]) {
      await expect.poll(() => relay.counters.links, { timeout: 15_000 }).toBe(2);
    }
    await other.stop();
    await expect.poll(() => one.mesh.replicas).toBe(0);
    expect(messages).toEqual([]);
  });

  it("does not warn of a link that is lost after a while, such as at a restart", async () => {
    let elapsedMs = 0;
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + elapsedMs };
    const [warnings, infos]: [string[], string[]] = [[], []];
    const logger = recordingLogger(warnings, infos);
    const one = await openReplica({ meshKey: "key", clock, logger });
    const other = await openReplica({ meshKey: "key" });
    await expect.poll(() => one.relay.counters.links, { timeout: 15_000 }).toBe(2);
    elapsedMs = 60_000;
    await other.relay.close(0);
    await expect.poll(() => infos.length).toBe(1);
    expect(warnings).toEqual([]);
  });

  it("gives up a link to itself", async () => {
    const one = await openReplica({ meshKey: "key" });
    // Its own URL would be that of a killed predecessor.
    const url = one.url.replace("127.0.0.1", "localhost");
    const other = { id: randomUUID(), url, host: "this-machine" };
    await RelayMesh.open({
      db: database.db,
      pubsub: openPubSub(),
      clock: systemClock,
      logger: silentLogger,
      relay: one.relay,
      dialer: createRelayDialer(),
      self: other,
    });
    await expect
      .poll(() => one.relay.counters.closed["own-relay"], { timeout: 15_000 })
      .toBeGreaterThan(0);
    expect(one.relay.counters.links).toBe(0);
  });

  it("does not take the loopback address of another machine for a relay", async () => {
    const one = await openReplica({ meshKey: "key" });
    const other = await openReplica({ meshKey: "key", host: "another-machine" });
    const third = await openReplica({ meshKey: "key" });
    await expect.poll(() => one.relay.counters.links, { timeout: 15_000 }).toBe(2);
    expect([one.mesh.replicas, third.mesh.replicas]).toEqual([1, 1]);
    expect([other.mesh.replicas, other.relay.counters.logins]).toEqual([0, 0]);
  });

  it("leaves no timer behind when it ends, which would keep the process alive", async () => {
    const clock = createFakeClock();
    const { stop } = await openReplica({ meshKey: "key", clock });
    await expect.poll(() => clock.sleepers).toBe(1);
    await stop();
    expect(clock.sleepers).toBe(0);
  });

  it("goes on after a relay that nobody reaches", async () => {
    const messages: string[] = [];
    await openReplica({ meshKey: "key", announcedUrl: "http://127.0.0.1:1" });
    const one = await openReplica({ meshKey: "key", logger: recordingLogger(messages) });
    const other = await openReplica({ meshKey: "key" });
    const [ann, bob] = [new RelayedClient(one.url), new RelayedClient(other.url)];
    await exchange(ann, bob, "hello");
    await expect.poll(() => messages).toEqual([expect.stringContaining("ECONNREFUSED")]);
  });

  it("does not take the relay that was killed at its own address for another one", async () => {
    const messages: string[] = [];
    const url = "http://127.0.0.1:1";
    await upsertReplica(database.db, { id: randomUUID(), url, host: "this-machine" });
    const one = await openReplica({
      meshKey: "key",
      announcedUrl: url,
      logger: recordingLogger(messages),
    });
    const other = await openReplica({ meshKey: "key" });
    const [ann, bob] = [new RelayedClient(one.url), new RelayedClient(other.url)];
    await exchange(ann, bob, "hello");
    expect(messages).toEqual([]);
  });
});

describe("the key of the mesh", () => {
  it("is the same for all replicas, and encrypted", async () => {
    const { db } = database;
    const secrets = new SecretBox(["one key"]);
    await Promise.all(Array.from({ length: 5 }, () => ensureMeshKey(db, secrets)));
    const key = await readMeshKey(db, secrets);
    await ensureMeshKey(db, secrets);
    expect(await readMeshKey(db, secrets)).toBe(key);
    expect(key).toMatch(/^[\w-]{32}$/);
    const [row] = await db.selectFrom("relay_mesh_keys").select("key_encrypted").execute();
    expect(row?.key_encrypted.includes(key)).toBe(false);
  });
});
