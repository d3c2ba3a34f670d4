import { randomUUID } from "node:crypto";

import type { RpcTable } from "@slipway/rpc";
import { silentLogger, systemClock } from "@slipway/runtime";
import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import {
  Agent,
  AppHealth,
  Connection_Action,
  Connection_Type,
  createMessage,
  CreateSubAgentRequest_DisplayApp,
  type DescMessage,
  type DescMethod,
  encodeMessage,
  encodeUuid,
  Lifecycle_State,
  Log_Level,
  type MessageInitShape,
  type MessageShape,
  parseMessage,
  parseUuid,
  Startup_Subsystem,
  Timing_Stage,
  Timing_Status,
  timestampFromMs,
  UpdateAppStatusRequest_AppStatusState,
} from "@slipway/wire";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, inject, it } from "vitest";

import { markConnected } from "../src/features/agents/connection/connection-queries.ts";
import { MetadataBatcher } from "../src/features/agents/metadata/metadata-batcher.ts";
import type { MetadataValue } from "../src/features/agents/metadata/metadata-queries.ts";
import { agentRpcs } from "../src/features/agents/rpc/handlers.ts";
import { batchUpdateMetadata } from "../src/features/agents/rpc/metadata.ts";
import type { RpcCaller } from "../src/features/agents/rpc/rpc-caller.ts";
import { noteActivity } from "../src/features/builds/deadline-service.ts";
import { hashAgentToken } from "../src/platform/auth/agent-token.ts";
import { SecretBox } from "../src/platform/auth/secret-box.ts";
import type { Database } from "../src/platform/db/database.ts";
import type { AgentCaller } from "../src/platform/http/caller.ts";

const secrets = new SecretBox(["a secret of the test"]);
const connectionId = randomUUID();
const at = timestampFromMs(1_700_000_000_123);

let database: TestDatabase;
let seed: Seed;
let rpcs: RpcTable<RpcCaller>;
let rpcCaller: RpcCaller;
let batcher: MetadataBatcher;
let published: string[];
let warnings: object[];

beforeEach(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
  seed = await seedAgent(database.db);
  published = [];
  warnings = [];
  const pubsub = {
    subscribe: () => ({ [Symbol.dispose]: () => undefined }),
    publish: (topic: string) => void published.push(topic),
  };
  batcher = new MetadataBatcher({
    db: database.db,
    pubsub,
    clock: systemClock,
    logger: silentLogger,
  });
  rpcs = agentRpcs({
    db: database.db,
    pubsub,
    clock: systemClock,
    secrets,
    metadata: batcher,
    noteActivity: (workspaceId) => noteActivity(database.db, workspaceId),
    storedLogLines: { inc: () => undefined },
    readDerpMap: () => ({ Regions: {} }),
    readAppearance: () => Promise.resolve({ announcement_banners: [] }),
    maxSubAgents: 32,
    gitAuthConfigs: 2,
    coordinate: async function* nobody() {},
  });
  rpcCaller = {
    agent: seed.agent,
    connectionId,
    apiVersion: "2.10",
    logger: { ...silentLogger, warn: (fields) => void warnings.push(fields) },
    spend: (_name, wanted = 1) => wanted,
    reserve: () => 0,
  };
});

afterEach(async () => {
  await batcher[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

it("answers every RPC of the service but the one that agents do without", () => {
  const missing = Agent.methods.filter((method) => rpcs.get(pathOf(method)) === undefined);
  expect(missing.map(({ name }) => name)).toEqual(["PushContextState"]);
});

it("gives the agent its manifest", async () => {
  const manifest = await call(Agent.method.getManifest, {});
  expect(parseUuid(manifest.agentId)).toBe(seed.agent.agentId);
  expect(manifest).toMatchObject({
    agentName: "main",
    ownerUsername: "ann",
    workspaceName: "dev",
    environmentVariables: { A: "1" },
    gitAuthConfigs: 2,
    vsCodePortProxyUri: "",
    scripts: [{ displayName: "Start" }],
    apps: [{ slug: "plain" }, { slug: "web" }],
    metadata: [{ key: "cpu", interval: { nanos: 10 } }],
  });
});

it("notes what the agent is", async () => {
  const { ENVBOX, EXECTRACE } = Startup_Subsystem;
  const startup = {
    version: "v2.35.1",
    expandedDirectory: "/home/ann\0",
    subsystems: [EXECTRACE, ENVBOX, EXECTRACE],
  };
  expect(await call(Agent.method.updateStartup, { startup })).toMatchObject(startup);
  expect(await agentRow()).toMatchObject({
    version: "v2.35.1",
    expanded_directory: "/home/ann",
    subsystems: ["envbox", "exectrace"],
    api_version: "2.10",
  });
  await expect(
    call(Agent.method.updateStartup, {
      startup: { ...startup, subsystems: [Startup_Subsystem.UNSPECIFIED] },
    }),
  ).rejects.toThrow("subsystem: unknown value 0");
  await expect(call(Agent.method.updateStartup, {})).rejects.toThrow("startup is missing");
});

it("keeps when the start scripts began and ended", async () => {
  const report = (state: Lifecycle_State, ms: number) =>
    call(Agent.method.updateLifecycle, { lifecycle: { state, changedAt: timestampFromMs(ms) } });
  await report(Lifecycle_State.STARTING, 1000);
  expect(await agentRow()).toMatchObject({
    lifecycle_state: "starting",
    started_at: "1970-01-01T00:00:01Z",
    ready_at: null,
  });
  await report(Lifecycle_State.READY, 2000.5);
  const ready = { started_at: "1970-01-01T00:00:01Z", ready_at: "1970-01-01T00:00:02.0005Z" };
  expect(await agentRow()).toMatchObject({ lifecycle_state: "ready", ...ready });
  await report(Lifecycle_State.OFF, 3000);
  expect(await agentRow()).toMatchObject({ lifecycle_state: "off", ...ready });
  await report(Lifecycle_State.STARTING, 4000);
  expect(await agentRow()).toMatchObject({ started_at: "1970-01-01T00:00:04Z", ready_at: null });
  await expect(report(0, 0)).rejects.toThrow("unknown value 0");
  expect(published).toEqual(Array.from({ length: 4 }, () => `workspace:${seed.agent.workspaceId}`));
});

it("does not go back to what an older session says late; the newest one may, with a clock set back", async () => {
  const report = (state: Lifecycle_State, ms: number) =>
    call(Agent.method.updateLifecycle, { lifecycle: { state, changedAt: timestampFromMs(ms) } });
  const { agentId, authenticatedAt } = seed.agent;
  const session = { agentId, authenticatedAt, connectionId, replicaId: randomUUID() };
  await markConnected(database.db, session);
  await report(Lifecycle_State.STARTING, 1000);
  await report(Lifecycle_State.READY, 2000);
  const { lifecycle_state, started_at, ready_at } = await agentRow();
  await markConnected(database.db, { ...session, connectionId: randomUUID() });
  for (const [state, ms] of [
    [Lifecycle_State.STARTING, 1000],
    [Lifecycle_State.STARTING, 500],
    [Lifecycle_State.READY, 2000],
  ] as const) {
    await report(state, ms);
    expect(await agentRow()).toMatchObject({ lifecycle_state, started_at, ready_at });
  }
  // What it says of a time that is new does count: a session is noted only while it speaks already.
  await report(Lifecycle_State.OFF, 2000);
  expect(await agentRow()).toMatchObject({ lifecycle_state: "off" });
  await report(Lifecycle_State.READY, 2000);
  expect(await agentRow()).toMatchObject({ lifecycle_state: "off" });
  await markConnected(database.db, session);
  await report(Lifecycle_State.STARTING, 500);
  expect(await agentRow()).toMatchObject({ lifecycle_state: "starting", ready_at: null });
});

it("takes the server's time for a state that has none", async () => {
  await call(Agent.method.updateLifecycle, { lifecycle: { state: Lifecycle_State.READY } });
  const { ready_at } = await agentRow();
  expect(Date.now() - Date.parse(ready_at ?? "")).toBeLessThan(60_000);
});

it("stores a batch of logs once, however often it comes", async () => {
  const logs = ["one", "two\0"].map((output, index) => ({
    output,
    level: Log_Level.WARN,
    createdAt: timestampFromMs(index + 1),
  }));
  const batch = { logSourceId: encodeUuid(seed.sourceId), logs };
  expect(await call(Agent.method.batchCreateLogs, batch)).toMatchObject({
    logLimitExceeded: false,
  });
  await call(Agent.method.batchCreateLogs, batch);
  const rows = await database.db
    .selectFrom("workspace_agent_logs")
    .selectAll()
    .orderBy("id")
    .execute();
  expect(rows).toMatchObject([
    { id: 1, output: "one", level: "warn", log_source_id: seed.sourceId },
    { id: 2, output: "two❌", level: "warn" },
  ]);
});

it("makes the external source when it is needed", async () => {
  const far = { seconds: 2n ** 62n, nanos: 0 };
  await call(Agent.method.batchCreateLogs, {
    logs: [{ output: "a", createdAt: { ...at, ...far } }],
  });
  await call(Agent.method.batchCreateLogs, {
    logSourceId: new Uint8Array(16),
    logs: [{ output: "b" }],
  });
  const sources = await database.db
    .selectFrom("workspace_agent_log_sources")
    .where("display_name", "=", "External")
    .select("id")
    .execute();
  expect(sources).toEqual([{ id: "3b579bf4-1ed8-4b99-87a8-e9a1e3410410" }]);
});

it("takes logs past the limit, keeps the newest and never tells the agent to stop", async () => {
  const send = (firstNs: number) =>
    call(Agent.method.batchCreateLogs, {
      logs: Array.from({ length: 700 }, (_, line) => ({
        output: "a".repeat(1024),
        createdAt: { ...at, nanos: firstNs + line },
      })),
    });
  for (const firstNs of [1000, 2000, 3000]) {
    expect(await send(firstNs)).toMatchObject({ logLimitExceeded: false });
  }
  expect(await call(Agent.method.batchCreateLogs, {})).toMatchObject({ logLimitExceeded: false });
  const position = database.db.selectFrom("workspace_agent_log_positions").selectAll();
  expect(await position.executeTakeFirst()).toMatchObject({ last_id: 2100, overflowed: true });
  const log = `agent-logs:${seed.agent.agentId}`;
  // With the second batch, the agent's JSON reports missing lines.
  expect(published).toEqual([log, log, `workspace:${seed.agent.workspaceId}`, log]);
});

it("refuses a batch of too many lines", async () => {
  const logs = Array.from({ length: 65_537 }, () => ({ output: "" }));
  await expect(call(Agent.method.batchCreateLogs, { logs })).rejects.toThrow(
    "batch has too many lines, at most 65536 are taken",
  );
});

it("keeps the newest values of known metadata", async () => {
  const metadata = [
    { key: "cpu", result: { value: "old" } },
    { key: "other", result: { value: "1" } },
    { key: "cp\0u", result: { value: "nul" } },
    { key: "cpu", result: { value: "42\n" } },
  ];
  await call(Agent.method.batchUpdateMetadata, { metadata });
  expect(await metadataValues()).toMatchObject([{ key: "cpu", value: "42", error: "" }]);
  expect(published).toEqual([`agent-metadata:${seed.agent.agentId}`]);
});

it("takes values of keys that the agent does not have, and stores none of them", async () => {
  const put: MetadataValue[] = [];
  const sink = { put: (_: string, values: readonly MetadataValue[]) => void put.push(...values) };
  const needs = { db: database.db, metadata: sink };
  const results = Array.from({ length: 200 }, (_, number) => `unknown ${number}`);
  const request = createMessage(Agent.method.batchUpdateMetadata.input, {
    metadata: [...results, "cpu", "cpu\0"].map((key) => ({ key, result: { value: key } })),
  });
  for (const caller of [{ agent: seed.agent }, { agent: seed.agent }]) {
    await batchUpdateMetadata(needs, caller, request);
  }
  expect(put.map(({ key }) => key)).toEqual(["cpu", "cpu"]);
});

it("keeps the values before the key that is too much", async () => {
  const metadata = [
    { key: "cpu", result: { value: "1" } },
    { key: "k".repeat(6142), result: {} },
    { key: "cpu", result: { value: "2" } },
  ];
  await expect(call(Agent.method.batchUpdateMetadata, { metadata })).rejects.toThrow("6144");
  expect(await metadataValues()).toMatchObject([{ value: "1" }]);
});

it("keeps the reports of an agent in use only, and always names the interval", async () => {
  const idle = { connectionMedianLatencyMs: -0.001, metrics: [{ name: "m", value: 1 }] };
  for (const stats of [
    undefined,
    idle,
    { ...idle, sessionCountSsh: 1n, connectionsByProto: { TCP: 2n } },
  ]) {
    const answer = await call(Agent.method.updateStats, stats === undefined ? {} : { stats });
    expect(answer).toMatchObject({ reportInterval: { seconds: 30n } });
  }
  const rows = await database.db.selectFrom("workspace_agent_stats").select("stats").execute();
  expect(rows).toMatchObject([
    {
      stats: {
        session_count_ssh: 1,
        connections_by_proto: { TCP: 2 },
        connection_median_latency_ms: -0.001,
      },
    },
  ]);
  const workspace = await database.db
    .selectFrom("workspaces")
    .select("last_used_at")
    .executeTakeFirst();
  expect(workspace?.last_used_at).not.toBeNull();
});

it("writes no health when one of them is bad", async () => {
  const web = { id: encodeUuid(seed.webAppId), health: AppHealth.HEALTHY };
  const health = Agent.method.batchUpdateAppHealths;
  await expect(
    call(health, {
      updates: [web, { id: encodeUuid(seed.plainAppId), health: AppHealth.HEALTHY }],
    }),
  ).rejects.toThrow("has no health check");
  await expect(call(health, { updates: [web, { ...web, health: 0 }] })).rejects.toThrow("unknown");
  await expect(
    call(health, { updates: [web, { ...web, id: encodeUuid(randomUUID()) }] }),
  ).rejects.toThrow("agent has no app");
  expect(await appHealth()).toBe("initializing");
  await call(health, { updates: [web] });
  await call(health, { updates: [web] });
  expect(await appHealth()).toBe("healthy");
  expect(published).toHaveLength(1);
});

it("keeps how scripts ended, by start", async () => {
  const timing = {
    scriptId: encodeUuid(seed.scriptId),
    start: at,
    end: timestampFromMs(1_700_000_001_000),
    exitCode: -1,
    stage: Timing_Stage.START,
    status: Timing_Status.EXIT_FAILURE,
  };
  await call(Agent.method.scriptCompleted, { timing });
  await call(Agent.method.scriptCompleted, { timing: { ...timing, exitCode: 2 } });
  const rows = await database.db.selectFrom("workspace_agent_script_timings").selectAll().execute();
  expect(rows).toMatchObject([
    {
      exit_code: 2,
      stage: "start",
      status: "exit_failure",
      started_at: "2023-11-14T22:13:20.123Z",
    },
  ]);
  await expect(
    call(Agent.method.scriptCompleted, {
      timing: { ...timing, scriptId: encodeUuid(randomUUID()) },
    }),
  ).rejects.toThrow("agent has no script");
  await expect(
    call(Agent.method.scriptCompleted, { timing: { ...timing, end: timestampFromMs(0) } }),
  ).rejects.toThrow("is after end");
});

it("configures the monitors of the build", async () => {
  expect(await call(Agent.method.getResourcesMonitoringConfiguration, {})).toMatchObject({
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
    return call(Agent.method.pushResourcesMonitoringUsage, { datapoints });
  };
  for (const used of [89n, 90n, 90n, 10n, 90n]) await push(used);
  expect(warnings).toEqual([{ resource: "memory", volume: undefined, threshold: 90 }]);
});

it("makes one row of the reports of a connection", async () => {
  const id = encodeUuid(randomUUID());
  const report = (
    fields: MessageInitShape<typeof Agent.method.reportConnection.input>["connection"],
  ) =>
    call(Agent.method.reportConnection, {
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
  const rows = await database.db.selectFrom("workspace_connections").selectAll().execute();
  expect(rows).toMatchObject([
    {
      type: "ssh",
      ip: "127.0.0.1",
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
  await call(Agent.method.updateAppStatus, status);
  await call(Agent.method.updateAppStatus, status);
  const rows = await database.db.selectFrom("workspace_app_statuses").selectAll().execute();
  expect(rows).toMatchObject([
    { state: "idle", message: "ready" },
    { state: "idle", message: "ready" },
  ]);
  // A state of 9, unknown to any release.
  const { state } = parseMessage(Agent.method.updateAppStatus.input, Uint8Array.of(0x10, 9));
  for (const bad of [{ slug: "none" }, { state }, { message: "é".repeat(81) }]) {
    await expect(call(Agent.method.updateAppStatus, { ...status, ...bad })).rejects.toThrow(
      /^unexpected status code 400: /,
    );
  }
});

it("takes boundary logs up to a number", async () => {
  const httpRequest = { method: "GET", url: "https://example.com" };
  const log = { allowed: true, resource: { case: "httpRequest", value: httpRequest } } as const;
  await call(Agent.method.reportBoundaryLogs, { logs: [log] });
  const logs = Array.from({ length: 1001 }, () => log);
  await expect(call(Agent.method.reportBoundaryLogs, { logs })).rejects.toThrow("1001 entries");
});

it("makes, lists and deletes sub-agents", async () => {
  const { VSCODE, VSCODE_INSIDERS, SSH_HELPER } = CreateSubAgentRequest_DisplayApp;
  const request = {
    name: "dev",
    directory: "/workspaces/app",
    architecture: "amd64",
    operatingSystem: "linux",
    apps: [{ slug: "web", url: "http://localhost:80" }, { slug: "-" }],
    displayApps: [SSH_HELPER, VSCODE, SSH_HELPER],
  };
  const created = await call(Agent.method.createSubAgent, request);
  expect(created.appCreationErrors).toMatchObject([{ index: 1, field: "slug" }]);
  const id = parseUuid(created.agent?.id ?? new Uint8Array());
  const token = parseUuid(created.agent?.authToken ?? new Uint8Array());
  const row = await agentRow(id);
  expect(row).toMatchObject({
    parent_id: seed.agent.agentId,
    workspace_build_id: seed.agent.buildId,
    connection_timeout_seconds: 77,
    display_apps: ["vscode", "ssh_helper"],
    directory: "/workspaces/app",
  });
  expect(row.auth_token_hash).toEqual(hashAgentToken(token));
  expect(await slugsOf(id)).toEqual(["76l3q1id-web"]);
  await expect(call(Agent.method.createSubAgent, { ...request, name: "DEV" })).rejects.toThrow(
    "already",
  );
  await expect(call(Agent.method.createSubAgent, { ...request, name: "a--b" })).rejects.toThrow(
    "match",
  );

  const taken = await call(Agent.method.createSubAgent, {
    id: encodeUuid(id),
    displayApps: [VSCODE_INSIDERS],
  });
  expect(taken.agent).toEqual(created.agent);
  expect(await agentRow(id)).toMatchObject({
    display_apps: ["vscode_insiders"],
    directory: "/workspaces/app",
  });
  expect((await call(Agent.method.listSubAgents, {})).agents).toEqual([created.agent]);

  await call(Agent.method.deleteSubAgent, { id: encodeUuid(id) });
  expect((await call(Agent.method.listSubAgents, {})).agents).toEqual([]);
  await expect(call(Agent.method.deleteSubAgent, { id: encodeUuid(id) })).rejects.toThrow(
    "no sub-agent",
  );
  await call(Agent.method.deleteSubAgent, { id: encodeUuid(seed.agent.agentId) });
  expect(await agentRow()).toMatchObject({ deleted: false });
  const again = await call(Agent.method.createSubAgent, request);
  expect(again.agent?.name).toBe("dev");
});

it("lets a sub-agent have logs at once", async () => {
  const created = await call(Agent.method.createSubAgent, { name: "dev" });
  const id = parseUuid(created.agent?.id ?? new Uint8Array());
  const position = await database.db
    .selectFrom("workspace_agent_log_positions")
    .where("workspace_agent_id", "=", id)
    .select("last_id")
    .executeTakeFirst();
  expect(position).toEqual({ last_id: 0 });
});

function pathOf(method: {
  readonly name: string;
  readonly parent: { readonly typeName: string };
}): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** Calls an RPC as a peer would: bytes in, bytes out. */
async function call<I extends DescMessage, O extends DescMessage>(
  method: DescMethod & { readonly input: I; readonly output: O },
  request: MessageInitShape<I>,
): Promise<MessageShape<O>> {
  const handler = rpcs.get(pathOf(method));
  if (handler?.kind !== "unary") throw new Error(`no unary handler of ${method.name}`);
  const bytes = encodeMessage(method.input, request);
  const { signal } = new AbortController();
  return parseMessage(method.output, await handler.answer(rpcCaller, bytes, signal));
}

function agentRow(id = seed.agent.agentId) {
  return database.db
    .selectFrom("workspace_agents")
    .where("id", "=", id)
    .selectAll()
    .executeTakeFirstOrThrow();
}

async function metadataValues() {
  await batcher[Symbol.asyncDispose]();
  return database.db.selectFrom("workspace_agent_metadata").selectAll().execute();
}

async function appHealth(): Promise<string | undefined> {
  const query = database.db
    .selectFrom("workspace_apps")
    .where("id", "=", seed.webAppId)
    .select("health");
  return (await query.executeTakeFirst())?.health;
}

async function slugsOf(agentId: string): Promise<readonly string[]> {
  const query = database.db.selectFrom("workspace_apps").where("workspace_agent_id", "=", agentId);
  return (await query.select("slug").execute()).map(({ slug }) => slug);
}

interface Seed {
  readonly agent: AgentCaller;
  readonly sourceId: string;
  readonly scriptId: string;
  readonly webAppId: string;
  readonly plainAppId: string;
}

/** Creates a started workspace with one agent, which has one of everything. */
async function seedAgent(db: Database): Promise<Seed> {
  const ids = {
    org: randomUUID(),
    owner: randomUUID(),
    file: randomUUID(),
    template: randomUUID(),
    version: randomUUID(),
    workspace: randomUUID(),
    importJob: randomUUID(),
    job: randomUUID(),
    build: randomUUID(),
    resource: randomUUID(),
    agent: randomUUID(),
    source: randomUUID(),
    script: randomUUID(),
    web: randomUUID(),
    plain: randomUUID(),
  };
  const statements = [
    sql`insert into organizations (id, name) values (${ids.org}, 'org')`,
    sql`insert into users (id, username, email) values (${ids.owner}, 'ann', 'ann@example.com')`,
    sql`insert into files (id, hash, mimetype, data, created_by) values (${ids.file}, '', '', '', ${ids.owner})`,
    sql`insert into templates (id, organization_id, name, active_version_id, created_by)
      values (${ids.template}, ${ids.org}, 'template', ${ids.version}, ${ids.owner})`,
    sql`insert into template_versions (id, template_id, organization_id, name, job_id, file_id, created_by)
      values (${ids.version}, ${ids.template}, ${ids.org}, 'one', ${ids.importJob}, ${ids.file}, ${ids.owner})`,
    sql`insert into workspaces (id, owner_id, organization_id, template_id, name)
      values (${ids.workspace}, ${ids.owner}, ${ids.org}, ${ids.template}, 'dev')`,
    sql`insert into jobs (id, type, organization_id, initiator_id, file_id)
      values (${ids.importJob}, 'template_version_import', ${ids.org}, ${ids.owner}, ${ids.file}),
        (${ids.job}, 'workspace_build', ${ids.org}, ${ids.owner}, ${ids.file})`,
    sql`insert into workspace_builds
        (id, workspace_id, build_number, transition, template_version_id, initiator_id, job_id, reason)
      values (${ids.build}, ${ids.workspace}, 1, 'start', ${ids.version}, ${ids.owner}, ${ids.job}, 'initiator')`,
    sql`insert into workspace_resources (id, job_id, workspace_transition, type, name)
      values (${ids.resource}, ${ids.job}, 'start', 'process', 'dev')`,
    sql`insert into workspace_agents
        (id, resource_id, workspace_build_id, name, auth_token_hash, auth_token_encrypted, architecture,
          operating_system, environment_variables, connection_timeout_seconds, resource_monitors)
      values (${ids.agent}, ${ids.resource}, ${ids.build}, 'main', 'h', 'e', 'amd64', 'linux', '{"A":"1"}', 77,
        '{"memoryThreshold":90,"volumes":[{"path":"/home","threshold":80}]}')`,
    sql`insert into workspace_agent_log_positions (workspace_agent_id) values (${ids.agent})`,
    sql`insert into workspace_agent_log_sources (workspace_agent_id, id, display_name)
      values (${ids.agent}, ${ids.source}, 'Start')`,
    sql`insert into workspace_agent_scripts (id, workspace_agent_id, position, log_source_id, script, display_name)
      values (${ids.script}, ${ids.agent}, 0, ${ids.source}, 'true', 'Start')`,
    sql`insert into workspace_agent_metadata
        (workspace_agent_id, key, position, display_name, script, interval_seconds, timeout_seconds)
      values (${ids.agent}, 'cpu', 0, 'CPU', 'cpu', 10, 1)`,
    sql`insert into workspace_apps (id, workspace_agent_id, position, slug, healthcheck_url, health)
      values (${ids.web}, ${ids.agent}, 0, 'web', '/health', 'initializing'),
        (${ids.plain}, ${ids.agent}, 1, 'plain', '', 'disabled')`,
  ];
  await db.transaction().execute(async (trx) => {
    for (const statement of statements) await statement.execute(trx);
  });
  const agent = {
    agentId: ids.agent,
    agentName: "main",
    buildId: ids.build,
    workspaceId: ids.workspace,
    ownerId: ids.owner,
    authenticatedAt: new Date().toISOString(),
  };
  return {
    agent,
    sourceId: ids.source,
    scriptId: ids.script,
    webAppId: ids.web,
    plainAppId: ids.plain,
  };
}
