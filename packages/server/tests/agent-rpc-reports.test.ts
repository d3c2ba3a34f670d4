import { randomUUID } from "node:crypto";

import { encodeUuid } from "@slipway/wire/bytes/uuid";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import {
  Agent,
  AppHealth,
  Connection_Action,
  Connection_Type,
  UpdateAppStatusRequest_AppStatusState,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { createMessage, parseMessage } from "@slipway/wire/protobuf/message";
import { timestampFromMs } from "@slipway/wire/protobuf/time";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, it } from "vitest";

import type { MetadataValue } from "../src/features/agents/metadata/metadata-batcher.ts";
import { batchUpdateMetadata } from "../src/features/agents/metadata/metadata-rpc.ts";
import { AgentRpcWorld } from "./support/agent-rpc-world.ts";

/* The RPCs with which an agent reports metadata, usage, health, resources, connections and apps. */

let world: AgentRpcWorld;

beforeEach(async () => {
  world = await AgentRpcWorld.open();
});

afterEach(() => world[Symbol.asyncDispose]());

it("keeps the newest values of known metadata", async () => {
  const metadata = [
    { key: "cpu", result: { value: "old" } },
    { key: "other", result: { value: "1" } },
    { key: "cp\0u", result: { value: "nul" } },
    { key: "cpu", result: { value: "42\n" } },
  ];
  await world.call(Agent.method.batchUpdateMetadata, { metadata });
  expect(await world.metadataValues()).toMatchObject([{ key: "cpu", value: "42", error: "" }]);
  expect(world.published).toEqual([`agent-metadata:${world.seed.agent.agentId}`]);
});

it("takes values of keys that the agent does not have, and stores none of them", async () => {
  const put: MetadataValue[] = [];
  const sink = { put: (_: string, values: readonly MetadataValue[]) => void put.push(...values) };
  const needs = { db: world.database.db, metadata: sink };
  const results = Array.from({ length: 200 }, (_, number) => `unknown ${number}`);
  const request = createMessage(Agent.method.batchUpdateMetadata.input, {
    metadata: [...results, "cpu", "cpu\0"].map((key) => ({ key, result: { value: key } })),
  });
  for (const caller of [{ agent: world.seed.agent }, { agent: world.seed.agent }]) {
    await batchUpdateMetadata(needs, caller, request);
  }
  expect(put.map(({ key }) => key)).toEqual(["cpu", "cpu"]);
});

it("keeps the values before the key that is too much", async () => {
  const metadata = [
    { key: "cpu", result: { value: "1" } },
    // The limit is in bytes.
    { key: "é".repeat(3071), result: {} },
    { key: "cpu", result: { value: "2" } },
  ];
  await expect(world.call(Agent.method.batchUpdateMetadata, { metadata })).rejects.toThrow("6144");
  expect(await world.metadataValues()).toMatchObject([{ value: "1" }]);
});

it("keeps the reports of an agent in use only, and always names the interval", async () => {
  const idle = { connectionMedianLatencyMs: -0.001, metrics: [{ name: "m", value: 1 }] };
  for (const stats of [
    undefined,
    idle,
    { ...idle, sessionCountSsh: 1n, connectionsByProto: { TCP: 2n } },
  ]) {
    const answer = await world.call(Agent.method.updateStats, stats === undefined ? {} : { stats });
    expect(answer).toMatchObject({ reportInterval: { seconds: 30n } });
  }
  const rows = await world.database.db
    .selectFrom("workspace_agent_stats")
    .select("stats")
    .execute();
  expect(rows).toMatchObject([
    {
      stats: {
        session_count_ssh: 1,
        connections_by_proto: { TCP: 2 },
        connection_median_latency_ms: -0.001,
      },
    },
  ]);
  expect(world.published).toEqual([`workspace:${world.seed.agent.workspaceId}`]);
  const workspace = await world.database.db
    .selectFrom("workspaces")
    .select("last_used_at")
    .executeTakeFirst();
  expect(workspace?.last_used_at).not.toBeNull();
});

it("writes no health when one of them is bad", async () => {
  const web = { id: encodeUuid(world.seed.webAppId), health: AppHealth.HEALTHY };
  const health = Agent.method.batchUpdateAppHealths;
  await expect(
    world.call(health, {
      updates: [web, { id: encodeUuid(world.seed.plainAppId), health: AppHealth.HEALTHY }],
    }),
  ).rejects.toThrow("has no health check");
  await expect(world.call(health, { updates: [web, { ...web, health: 0 }] })).rejects.toThrow(
    "unknown",
  );
  await expect(
    world.call(health, { updates: [web, { ...web, id: encodeUuid(randomUUID()) }] }),
  ).rejects.toThrow("agent has no app");
  expect(await world.appHealth()).toBe("initializing");
  await world.call(health, { updates: [web] });
  await world.call(health, { updates: [web] });
  expect(await world.appHealth()).toBe("healthy");
  expect(world.published).toHaveLength(1);
});

it("configures the monitors of the build", async () => {
  expect(await world.call(Agent.method.getResourcesMonitoringConfiguration, {})).toMatchObject({
    config: { numDatapoints: 20, collectionIntervalSeconds: 10 },
    memory: { enabled: true },
    volumes: [{ path: "/home" }],
  });
});

it("warns once of a resource that runs out", async () => {
  const push = (used: bigint) => {
    const volumes = [{ volume: "/home", used: 79n, total: 100n }];
    const datapoints = Array.from({ length: 20 }, () => ({
      memory: { used, total: 100n },
      volumes,
    }));
    return world.call(Agent.method.pushResourcesMonitoringUsage, { datapoints });
  };
  for (const used of [89n, 90n, 90n, 10n, 90n]) await push(used);
  expect(world.warnings).toEqual([{ resource: "memory", volume: undefined, threshold: 90 }]);
});

it("makes one row of the reports of a connection", async () => {
  const id = encodeUuid(randomUUID());
  const report = (
    fields: MessageInitShape<typeof Agent.method.reportConnection.input>["connection"],
  ) =>
    world.call(Agent.method.reportConnection, {
      connection: { id, type: Connection_Type.SSH, ...fields },
    });
  const [early, late, later] = [1000, 2000, 3000].map(timestampFromMs);
  await report({
    action: Connection_Action.DISCONNECT,
    timestamp: late,
    statusCode: 255,
    reason: "gone",
  });
  await report({ action: Connection_Action.CONNECT, timestamp: late, ip: "localhost" });
  await report({ action: Connection_Action.CONNECT, timestamp: early });
  await report({
    action: Connection_Action.DISCONNECT,
    timestamp: later,
    statusCode: 1,
    reason: "again",
  });
  const rows = await world.database.db.selectFrom("workspace_connections").selectAll().execute();
  expect(rows).toMatchObject([
    {
      type: "ssh",
      // No client has the address.
      ip: null,
      connected_at: "1970-01-01T00:00:01Z",
      disconnected_at: "1970-01-01T00:00:02Z",
      status_code: 255,
      reason: "gone",
    },
  ]);
  await expect(report({ action: 0 })).rejects.toThrow("action: unknown value 0");
  await expect(report({ id: new Uint8Array(16), action: 1 })).rejects.toThrow("nil UUID");
});

it("keeps each status of an app as plain text", async () => {
  const status = {
    slug: "web",
    state: UpdateAppStatusRequest_AppStatusState.IDLE,
    message: "<b>ready</b>\n",
  };
  await world.call(Agent.method.updateAppStatus, status);
  await world.call(Agent.method.updateAppStatus, status);
  const rows = await world.database.db.selectFrom("workspace_app_statuses").selectAll().execute();
  expect(rows).toMatchObject([
    { state: "idle", message: "ready" },
    { state: "idle", message: "ready" },
  ]);
  // A state of 9, unknown to any release.
  const { state } = parseMessage(Agent.method.updateAppStatus.input, Uint8Array.of(0x10, 9));
  for (const bad of [{ slug: "none" }, { state }, { message: "é".repeat(81) }]) {
    await expect(world.call(Agent.method.updateAppStatus, { ...status, ...bad })).rejects.toThrow(
      /^unexpected status code 400: /,
    );
  }
});

it("keeps the newest hundred statuses of an app, and those of its others", async () => {
  const { db } = world.database;
  await sql`insert into workspace_app_statuses (workspace_app_id, state, message, created_at)
    select id, 'idle', 'old', now() - interval '1 hour' from workspace_apps`.execute(db);
  await sql`insert into workspace_app_statuses (workspace_app_id, state, message)
    select id, 'idle', 'new' from workspace_apps, generate_series(1, 99) where slug = 'web'`.execute(
    db,
  );
  const state = UpdateAppStatusRequest_AppStatusState.IDLE;
  await world.call(Agent.method.updateAppStatus, { slug: "web", state, message: "newest" });
  const { rows } = await sql`select slug, message, count(*)::integer as count
    from workspace_app_statuses join workspace_apps app on app.id = workspace_app_id
    group by slug, message order by slug, message`.execute(db);
  expect(rows).toEqual([
    { slug: "plain", message: "old", count: 1 },
    { slug: "web", message: "new", count: 99 },
    { slug: "web", message: "newest", count: 1 },
  ]);
});
