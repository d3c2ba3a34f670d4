import { randomUUID } from "node:crypto";

import { createWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { silentLogger } from "@slipway/runtime";
import {
  createFakeClock,
  type FakeClock,
  openRawAgent,
  openTestDatabase,
  pushTemplate,
  readAgentToken,
  requireAgent,
  type TestDatabase,
  waitForWorkspace,
} from "@slipway/testkit";
import { afterEach, beforeEach, expect, inject, it, vi } from "vitest";

import { agentStatus } from "../src/features/agents/agent-status.ts";
import { ConnectionMonitor } from "../src/features/agents/connections/connection-monitor.ts";
import { takeOverRows } from "../src/features/agents/connections/connection-queries.ts";
import { GatheredHeartbeat } from "../src/features/agents/connections/heartbeat.ts";
import { selectAgent } from "../src/features/agents/queries.ts";
import { paceMs } from "../src/platform/db/gathered-writes.ts";
import { HeartbeatConnection } from "../src/platform/db/heartbeat-connection.ts";
import { LocalListeners } from "../src/platform/pubsub/local-listeners.ts";
import { topics } from "../src/platform/pubsub/pubsub.ts";
import type { Listener } from "../src/platform/pubsub/pubsub.ts";
import { waitForBlocked } from "./support/lock-waits.ts";
import { openServer } from "./support/open-server.ts";
import { seedAgent, seedBuild, seedWorkspace } from "./support/rows.ts";

/* The newest session holds the agent's row; when it ends, an older one that still responds takes over the row. */

const periodMs = 15_500;

let database: TestDatabase;
let opened: AsyncDisposableStack;
let agent: { readonly agentId: string; readonly workspaceId: string };
/** The hints about the agent's workspace, on any replica. */
let hints: string[];

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  database = opened.use(await openTestDatabase(inject("postgresUrl")));
  hints = [];
  const place = await seedWorkspace(database.db);
  const build = { number: 1, transition: "start", job: "succeeded" } as const;
  const agentId = await seedAgent(database.db, await seedBuild(database.db, place, build));
  agent = { agentId, workspaceId: place.workspaceId };
});

afterEach(() => opened.disposeAsync());

interface Replica {
  readonly id: string;
  readonly clock: FakeClock;
  /** Waits for the writes of its beats, and ends them. */
  settle(): Promise<void>;
  /** Opens a session of the agent, and resolves once it is recorded. */
  open(kind?: "agent" | "companion"): Promise<Session>;
}

interface Session {
  readonly id: string;
  readonly pings: number;
  /** False for a peer that no longer receives anything. */
  answers: boolean;
  close(reason?: string): void;
  /** Resolves once the session has ended and the end is recorded. */
  readonly recorded: Promise<string>;
}

function openReplica(): Replica {
  const { db, url } = database;
  const [id, clock, listeners] = [randomUUID(), createFakeClock(), new LocalListeners()];
  const connection = opened.use(
    new HeartbeatConnection({ db, address: { url }, logger: silentLogger }),
  );
  const heartbeat = opened.use(new GatheredHeartbeat(connection, clock, silentLogger));
  const pubsub = {
    subscribe: (topic: string, listener: Listener) => listeners.add(topic, listener),
    publish: (topic: string) => void hints.push(topic),
  };
  const needs = { db, heartbeat, pubsub, clock, logger: silentLogger };
  const monitor = new ConnectionMonitor(needs, id);
  return {
    id,
    clock,
    settle: () => heartbeat[Symbol.asyncDispose](),
    open: async (kind = "agent") => {
      const ended = Promise.withResolvers<string>();
      const peer = {
        id: randomUUID(),
        pings: 0,
        answers: true,
        ended: ended.promise,
        ping: (onPong: () => void) => {
          peer.pings += 1;
          if (peer.answers) onPong();
        },
        close: (reason = "closed") => ended.resolve(reason),
      };
      const authenticatedAt = new Date().toISOString();
      const caller = { ...agent, agentName: "main", buildId: "", ownerId: "", authenticatedAt };
      const session = { agent: caller, connectionId: peer.id };
      const recorded =
        kind === "agent"
          ? monitor.watchAgent(peer, session)
          : monitor.watchCompanion(peer, session);
      // Starts within the interval of gathered writes share a statement.
      await clock.advance(paceMs);
      if (kind === "agent") await isHeldBy(peer.id);
      return Object.assign(peer, { recorded });
    },
  };
}

async function rowOf(agentId: string) {
  const row = await selectAgent(database.db, agentId);
  const holder = await database.db
    .selectFrom("workspace_agents")
    .where("id", "=", agentId)
    .select(["connection_id", "connected_at", "last_connected_replica_id"])
    .executeTakeFirstOrThrow();
  if (row === undefined) throw new Error(`no agent ${agentId}`);
  const { last_connected_at: seenAt, disconnected_at: ends } = row;
  return { ...holder, status: agentStatus(row, Date.now()).status, seenAt, ends };
}

async function isHeldBy(connectionId: string): Promise<void> {
  await vi.waitFor(async () => {
    expect((await rowOf(agent.agentId)).connection_id).toBe(connectionId);
  }, 10_000);
}

it("leaves an agent connected when a second session of it ends, and records no end", async () => {
  const replica = openReplica();
  const first = await replica.open();
  const { connected_at: since } = await rowOf(agent.agentId);
  const second = await replica.open();
  second.close();
  await second.recorded;
  const row = await rowOf(agent.agentId);
  expect(row).toMatchObject({ connection_id: first.id, status: "connected", ends: null });
  expect(Date.parse(row.connected_at ?? "")).toBeLessThanOrEqual(Date.parse(since ?? ""));
  await replica.clock.advance(paceMs);
  first.close();
  await first.recorded;
  expect(await rowOf(agent.agentId)).toMatchObject({ status: "disconnected" });
});

it("hints at the workspace when a session begins, and when it ends", async () => {
  const hint = topics.workspace(agent.workspaceId);
  const only = await openReplica().open();
  await vi.waitFor(() => expect(hints).toEqual([hint]));
  only.close();
  await only.recorded;
  expect(hints).toEqual([hint, hint]);
});

it("hands the row to none that does not answer, and records the end after a second", async () => {
  const replica = openReplica();
  const halfOpen = await replica.open();
  const second = await replica.open();
  halfOpen.answers = false;
  second.close();
  await vi.waitFor(() => expect(halfOpen.pings).toBe(1));
  await replica.clock.advance(1_000);
  await second.recorded;
  expect(await rowOf(agent.agentId)).toMatchObject({
    connection_id: second.id,
    status: "disconnected",
  });
});

it("hands the row to no session of another program", async () => {
  const replica = openReplica();
  const companion = await replica.open("companion");
  const only = await replica.open();
  only.close();
  await only.recorded;
  await replica.clock.advance(periodMs);
  expect(companion.pings).toBe(1);
  await replica.settle();
  expect(await rowOf(agent.agentId)).toMatchObject({
    connection_id: only.id,
    status: "disconnected",
  });
});

it("takes the row back by a beat when the newer session ended at another replica", async () => {
  const [here, there] = [openReplica(), openReplica()];
  const first = await here.open();
  const second = await there.open();
  second.close();
  await second.recorded;
  expect(await rowOf(agent.agentId)).toMatchObject({ status: "disconnected" });
  hints = [];
  await here.clock.advance(periodMs);
  await isHeldBy(first.id);
  expect(await rowOf(agent.agentId)).toMatchObject({
    status: "connected",
    last_connected_replica_id: here.id,
  });
  await vi.waitFor(() => expect(hints).toEqual([topics.workspace(agent.workspaceId)]));
});

it("takes the row back when nobody recorded the newer session's end", async () => {
  const [here, there] = [openReplica(), openReplica()];
  const first = await here.open();
  const lost = await there.open();
  await here.clock.advance(periodMs);
  await vi.waitFor(() => expect(first.pings).toBe(1));
  expect(await rowOf(agent.agentId)).toMatchObject({ connection_id: lost.id });
  // The replica dies: its session has been silent for 31 s.
  await database.db
    .updateTable("workspace_agents")
    .set({ last_connected_at: new Date(Date.now() - 31_000).toISOString() })
    .where("id", "=", agent.agentId)
    .execute();
  await here.clock.advance(periodMs);
  await isHeldBy(first.id);
  expect(await rowOf(agent.agentId)).toMatchObject({ status: "connected" });
});

it("lets a session that does not answer take nothing back", async () => {
  const [here, there] = [openReplica(), openReplica()];
  const halfOpen = await here.open();
  halfOpen.answers = false;
  const { seenAt } = await rowOf(agent.agentId);
  await here.clock.advance(periodMs);
  // The heartbeat of this period would take the row back, rightly, if it came later.
  await vi.waitFor(async () => {
    expect((await rowOf(agent.agentId)).seenAt).not.toBe(seenAt);
  }, 10_000);
  const second = await there.open();
  second.close();
  await second.recorded;
  await here.clock.advance(periodMs);
  expect(halfOpen.pings).toBe(2);
  await here.settle();
  expect(await rowOf(agent.agentId)).toMatchObject({
    connection_id: second.id,
    status: "disconnected",
  });
});

it("leaves the row to a session that began in the meantime", async () => {
  const replica = openReplica();
  const first = await replica.open();
  const second = await replica.open();
  const authenticatedAt = new Date().toISOString();
  const { agentId } = agent;
  const heir = { agentId, connectionId: first.id, replicaId: replica.id, authenticatedAt };
  for (const succeeds of [randomUUID(), undefined]) {
    expect([...(await takeOverRows(database.db, [heir], succeeds))]).toEqual([]);
  }
  expect(await rowOf(agent.agentId)).toMatchObject({ connection_id: second.id });
});

it("records the end of a session that ended while it took the row over", async () => {
  const [here, there] = [openReplica(), openReplica()];
  const first = await here.open();
  const second = await there.open();
  second.close();
  await second.recorded;
  await database.db.transaction().execute(async (trx) => {
    const row = trx.selectFrom("workspace_agents").where("id", "=", agent.agentId).select("id");
    await row.forUpdate().execute();
    await here.clock.advance(periodMs);
    await waitForBlocked(database.db);
    // Its end changes nothing: it does not hold the row yet.
    first.close();
    await first.recorded;
  });
  await isHeldBy(first.id);
  await vi.waitFor(async () => {
    expect(await rowOf(agent.agentId)).toMatchObject({ status: "disconnected" });
  });
});

it("keeps an agent of a real server connected while it is", async () => {
  await using server = await openServer(inject("postgresUrl"));
  const template = "driver: external\nagents: { main: { os: linux, arch: amd64 } }\n";
  const templateId = await pushTemplate(server.admin, "outside", template);
  const body = { name: "dev", template_id: templateId };
  const { id } = await server.admin.call(createWorkspace, { params: { user: "me" }, body });
  const isBuilt = ({ latest_build: { job } }: Workspace) => job.status === "succeeded";
  await waitForWorkspace(server.admin, id, isBuilt);
  const token = await readAgentToken(server.admin, id);
  const is = (status: string) => (workspace: Workspace) =>
    requireAgent(workspace).status === status;
  const holder = async (): Promise<string | null> => {
    const row = server.db.selectFrom("workspace_agents").select("connection_id");
    return (await row.executeTakeFirstOrThrow()).connection_id;
  };

  const patience = { timeout: 20_000 };
  await using first = await openRawAgent(server.url, token);
  await waitForWorkspace(server.admin, id, is("connected"));
  const held = await holder();
  const second = await openRawAgent(server.url, token);
  await expect.poll(holder, patience).not.toBe(held);
  await second[Symbol.asyncDispose]();
  await expect.poll(holder, patience).toBe(held);
  const workspace = await waitForWorkspace(server.admin, id, () => true);
  expect(requireAgent(workspace)).toMatchObject({ status: "connected" });
  expect(requireAgent(workspace)).not.toHaveProperty("disconnected_at");
  first.socket.terminate();
  await waitForWorkspace(server.admin, id, is("disconnected"));
});
