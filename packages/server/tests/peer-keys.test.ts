import { randomUUID } from "node:crypto";

import { sodiumCrypto } from "@slipway/relay";
import { silentLogger, systemClock } from "@slipway/runtime";
import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { encodeHex } from "@slipway/wire/bytes/hex";
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from "vitest";

import { Coordinator } from "../src/network/coordinator/coordinator.ts";
import { nodeKeys } from "../src/network/coordinator/node-key.ts";
import { PostgresDirectory } from "../src/network/coordinator/postgres-directory.ts";
import { peerKeys } from "../src/network/coordinator/reservations.ts";
import { connectionOptions } from "../src/platform/db/database.ts";
import { HeartbeatConnection } from "../src/platform/db/heartbeat-connection.ts";
import { PostgresPubSub } from "../src/platform/pubsub/postgres-pubsub.ts";

const parts = { clock: systemClock, logger: silentLogger };
let database: TestDatabase;

beforeAll(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
});

afterAll(() => database[Symbol.asyncDispose]());

async function openReplica() {
  const { db, url } = database;
  const connection = connectionOptions({ url });
  const pubsub = new PostgresPubSub({ db, connection, replicaId: randomUUID(), ...parts });
  const heartbeats = new HeartbeatConnection({ db, address: { url }, logger: silentLogger });
  const directory = await PostgresDirectory.open({ db, heartbeats, pubsub, ...parts });
  const coordinator = new Coordinator({ directory, ...parts });
  onTestFinished(async () => {
    await coordinator[Symbol.asyncDispose]();
    await heartbeats[Symbol.asyncDispose]();
    await pubsub[Symbol.asyncDispose]();
  });
  return { coordinator, keys: peerKeys({ db, coordinator }) };
}

/** Publishes a node with a key; returns the key in the relay's spelling. */
async function publish(coordinator: Coordinator, holder: string): Promise<string> {
  const key = sodiumCrypto.createKeyPair().publicKey;
  const published = Uint8Array.of(0x6e, 0x70, ...key);
  const peer = coordinator.join({ id: randomUUID(), holder, keyId: undefined, ip: undefined });
  const reserved = ["fd7a:115c:a1e0::1/128", ...nodeKeys({ key: published, disco: "" })];
  await peer.publish({ bytes: published, reserved, latency: undefined });
  return encodeHex(key);
}

it("finds the keys that peers have published at any replica, and no others", async () => {
  const [here, elsewhere] = [await openReplica(), await openReplica()];
  const told: string[] = [];
  using _ = here.keys.onPublished((key) => told.push(key));
  const [own, other] = [
    await publish(here.coordinator, "user:one"),
    await publish(elsewhere.coordinator, "user:one"),
  ];
  const unknown = encodeHex(sodiumCrypto.randomBytes(32));
  expect(await here.keys.find([own, other, unknown])).toEqual(new Set([own, other]));
  expect(await here.keys.find([unknown])).toEqual(new Set());
  // Only keys published here are reported immediately.
  expect(told).toEqual([own]);
});

it("finds the keys that peers have published at a replica of an earlier release", async () => {
  const { keys } = await openReplica();
  const earlier = await openReplica();
  const key = encodeHex(sodiumCrypto.createKeyPair().publicKey);
  const peer = earlier.coordinator.join({
    id: randomUUID(),
    holder: "agent:one",
    keyId: undefined,
    ip: undefined,
  });
  const reserved = [`key:6e70${key}`];
  await peer.publish({ bytes: Uint8Array.of(0), reserved, latency: undefined });
  expect(await keys.find([key])).toEqual(new Set([key]));
});

it("tells of no key that is refused, as another has it", async () => {
  const { coordinator, keys } = await openReplica();
  const told: string[] = [];
  using _ = keys.onPublished((key) => told.push(key));
  const key = Uint8Array.of(0x6e, 0x70, ...sodiumCrypto.createKeyPair().publicKey);
  const reserved = nodeKeys({ key, disco: "" });
  const node = { bytes: new Uint8Array(1), reserved, latency: undefined };
  const [ann, eve] = ["user:ann", "user:eve"].map((holder) =>
    coordinator.join({ id: randomUUID(), holder, keyId: undefined, ip: undefined }),
  );
  expect([await ann?.publish(node), await eve?.publish(node)]).toEqual([true, false]);
  expect(told).toHaveLength(1);
});
