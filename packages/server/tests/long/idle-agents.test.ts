import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  connectWithToken,
  type ExternalAgent,
  fillFleet,
  fleetAgentToken,
  openTestDatabase,
  startServerProcess,
} from "@slipway/testkit";
import { Agent, Lifecycle_State } from "@slipway/wire/protobuf/gen/agent_pb";
import { Tailnet } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { timestampFromMs } from "@slipway/wire/protobuf/time";
import { sql } from "kysely";
import { expect, inject, it, onTestFinished } from "vitest";

import { heapBytes, measuredHeap } from "../support/process-heap.ts";
import { seedBuild, seedWorkspace } from "../support/rows.ts";

const warmUp = 100;
const counted = 400;
/** A quarter more than measured with the version of Node.js that is pinned. */
const maxBytesPerAgent = 36_000;

it(
  `holds an idle agent in ${maxBytesPerAgent} bytes of its heap`,
  { timeout: 120_000 },
  async () => {
    await using opened = new AsyncDisposableStack();
    const { db, url } = opened.use(await openTestDatabase(inject("postgresUrl")));
    const dataDir = await mkdtemp(join(tmpdir(), "slipway-heap-"));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const environment = { SLIPWAY_POSTGRES_URL: url, ...measuredHeap };
    const server = opened.use(await startServerProcess({ dataDir, port: 0, environment }));
    // After the start, which reads a secret with the server's key.
    const seeded = await seedWorkspace(db);
    await seedBuild(db, seeded, { number: 1, transition: "start", job: "succeeded" });
    await fillFleet((statement) => sql.raw(statement).execute(db), seeded, warmUp + counted);
    const connect = async (first: number, count: number): Promise<void> => {
      const numbers = Array.from({ length: count }, (_, index) => first + index);
      const agents = numbers.map((number) => connectWithToken(server.url, fleetAgentToken(number)));
      await Promise.all(
        agents.map(async (agent) => {
          const { connection } = await agent;
          opened.defer(() => connection.close());
          await greet(connection);
        }),
      );
    };
    await connect(1, warmUp);
    const before = await heapBytes(server);
    await connect(warmUp + 1, counted);
    expect((await heapBytes(server)) - before).toBeLessThan(counted * maxBytesPerAgent);
  },
);

/** Makes the first calls of an agent, and those that it keeps open. */
async function greet(connection: ExternalAgent["connection"]): Promise<void> {
  const { signal } = new AbortController();
  const { method } = Agent;
  await connection.unary(method.getManifest, {}, signal);
  const startup = { version: "v2.37.0", expandedDirectory: "/" };
  await connection.unary(method.updateStartup, { startup }, signal);
  const lifecycle = { state: Lifecycle_State.READY, changedAt: timestampFromMs(0) };
  await connection.unary(method.updateLifecycle, { lifecycle }, signal);
  await connection.unary(method.updateStats, {}, signal);
  const requests = (async function* () {
    await connection.closed;
    yield* [];
  })();
  const coordination = connection.duplex(Tailnet.method.coordinate, requests, signal);
  void Array.fromAsync(coordination).catch(() => undefined);
  const maps = connection.serverStream(Tailnet.method.streamDERPMaps, {}, signal);
  await maps[Symbol.asyncIterator]().next();
}
