import { randomUUID } from "node:crypto";

import { silentLogger, systemClock } from "@slipway/runtime";
import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished, vi } from "vitest";

import { defaultDirectoryTimes, type Peer } from "../src/network/coordinator/peer-directory.ts";
import { PostgresDirectory } from "../src/network/coordinator/postgres-directory.ts";
import { connectionOptions } from "../src/platform/db/database.ts";
import { HeartbeatConnection } from "../src/platform/db/heartbeat-connection.ts";
import { PostgresPubSub } from "../src/platform/pubsub/postgres-pubsub.ts";
import { allOf, topics } from "../src/platform/pubsub/pubsub.ts";
import { holdOpen, waitForBlocked } from "./support/lock-waits.ts";

/* The peers that look again after each change. A peer without the hint would look only a minute later. */

const patience = { timeout: 20_000 };
let database: TestDatabase;

beforeAll(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
});

afterAll(() => database[Symbol.asyncDispose]());

interface Replica {
  readonly directory: PostgresDirectory;
  readonly pubsub: PostgresPubSub;
  /** The ids of the peers that it was told to look at again, and `*` once it hears other replicas. */
  readonly heard: string[];
}

async function openReplica(graceMs = defaultDirectoryTimes.graceMs): Promise<Replica> {
  const { db, url } = database;
  const parts = { db, clock: systemClock, logger: silentLogger };
  const opened = new AsyncDisposableStack();
  onTestFinished(() => opened.disposeAsync());
  const connection = connectionOptions({ url });
  const pubsub = opened.use(new PostgresPubSub({ ...parts, connection, replicaId: randomUUID() }));
  const heard: string[] = [];
  opened.use(
    pubsub.subscribe(allOf("tailnetPeer"), (topic) => {
      heard.push(topic.slice(topics.tailnetPeer("").length));
    }),
  );
  const heartbeats = opened.use(
    new HeartbeatConnection({ db, address: { url }, logger: silentLogger }),
  );
  const times = { ...defaultDirectoryTimes, graceMs };
  const directory = opened.use(
    await PostgresDirectory.open({ ...parts, heartbeats, pubsub, times }),
  );
  await vi.waitUntil(() => heard.includes("*"), patience);
  return { directory, pubsub, heard };
}

function newPeer(name: string): Peer {
  return { id: randomUUID(), holder: `user:${name}`, keyId: `key of ${name}`, ip: undefined };
}

const node = { bytes: new Uint8Array([1]), reserved: [], latency: undefined };

/** Two replicas, a client with a tunnel to an agent, and another client. */
async function openStage(graceMs?: number) {
  const [here, there] = [await openReplica(graceMs), await openReplica()];
  const [agent, client, other] = [newPeer("agent"), newPeer("client"), newPeer("other")];
  const names = new Map(
    Object.entries({ agent, client, other }).map(([name, { id }]) => [id, name]),
  );
  const { heard } = here;
  /** Forgets the hints until now, those of the other replica included. */
  const settle = async (): Promise<void> => {
    const last = randomUUID();
    there.pubsub.publish(topics.tailnetPeer(last));
    await vi.waitUntil(() => heard.includes(last), patience);
    heard.length = 0;
  };
  const namesHeard = (): readonly string[] =>
    [...new Set(heard.map((id) => names.get(id) ?? id))].toSorted();
  await here.directory.putNode(agent, node, true);
  return { here: here.directory, there: there.directory, agent, client, other, settle, namesHeard };
}

type Stage = Awaited<ReturnType<typeof openStage>>;

interface Change {
  /** The state before the change, beside the agent's node. */
  readonly before: (stage: Stage) => Promise<unknown>;
  readonly change: (stage: Stage) => Promise<unknown>;
  /** The names of those that look again. */
  readonly told: readonly string[];
}

const connected = async ({ here, client, agent }: Stage): Promise<void> => {
  await here.putNode(client, node, true);
  await here.addTunnel(client, agent.id);
};

const lost = async (stage: Stage): Promise<void> => {
  await connected(stage);
  await stage.here.markLost(stage.client, false);
};

const changes: Readonly<Record<string, Change>> = {
  "a peer publishes a node": {
    before: ({ here, client, agent }) => here.addTunnel(client, agent.id),
    change: ({ here, client }) => here.putNode(client, node, true),
    told: ["agent"],
  },
  "a tunnel is opened": {
    before: async () => undefined,
    change: ({ here, client, agent }) => here.addTunnel(client, agent.id),
    told: ["agent", "client"],
  },
  "a tunnel is closed": {
    before: connected,
    change: ({ here, client, agent }) => here.removeTunnel(client.id, agent.id),
    told: ["agent", "client"],
  },
  "a peer is ready for others": {
    before: connected,
    change: ({ here, client, agent, other }) => here.sayReady(agent.id, [client.id, other.id]),
    told: ["client"],
  },
  "a peer is lost": {
    before: connected,
    change: ({ here, client }) => here.markLost(client, false),
    told: ["agent"],
  },
  "a peer is lost where it has only opened a tunnel, which goes with it": {
    before: async ({ here, there, client, agent }) => {
      await there.putNode(client, node, true);
      await here.addTunnel(client, agent.id);
    },
    change: ({ here, client }) => here.markLost(client, false),
    told: ["agent"],
  },
  "a peer leaves": {
    before: connected,
    change: ({ here, client }) => here.remove(client.id),
    told: ["agent"],
  },
  "an absent client may not come back": {
    before: lost,
    change: async ({ here, client }) => {
      const absent = (await Array.fromAsync(here.readAbsent({}))).flat();
      await here.removeAbsent(absent.filter(({ id }) => id === client.id));
    },
    told: ["agent"],
  },
  "the tunnel of an absent client may not come back": {
    before: lost,
    change: ({ here, client, agent }) =>
      here.removeAbsentTunnels([{ source: client.id, destination: agent.id }]),
    told: ["agent", "client"],
  },
  "a replica closes": {
    before: connected,
    change: ({ here }) => here[Symbol.asyncDispose](),
    // All of its peers are lost, the agent to the client too.
    told: ["agent", "client"],
  },
};

describe("those look again that share a tunnel when", () => {
  it.each(Object.entries(changes))("%s", async (_, { before, change, told }) => {
    const stage = await openStage();
    await before(stage);
    await stage.settle();
    await change(stage);
    expect(stage.namesHeard()).toEqual(told);
  });

  it("a lost peer is forgotten", async () => {
    const stage = await openStage(100);
    await connected(stage);
    await stage.settle();
    await sql`update tailnet_peers set is_lost = true, updated_at = now() - interval '1 hour'
      where id = ${stage.client.id}`.execute(database.db);
    // So are those that earlier tests left.
    await expect.poll(stage.namesHeard).toContain("agent");
  });

  const departures: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
    "is lost": ({ here, agent }) => here.markLost(agent, false),
    leaves: ({ here, agent }) => here.remove(agent.id),
  };

  it.each(Object.entries(departures))("a peer %s while they open it", async (_, leave) => {
    const stage = await openStage();
    const { there, agent, other } = stage;
    const held = await holdOpen(database.db, (trx) =>
      sql`select from tailnet_peers where id = ${agent.id} for update`.execute(trx),
    );
    const leaving = leave(stage);
    await waitForBlocked(database.db);
    await there.addTunnel(other, agent.id);
    await stage.settle();
    await held.commit();
    await leaving;
    expect(stage.namesHeard()).toEqual(["other"]);
  });
});
