import { randomUUID } from "node:crypto";

import { listConnectionLogs } from "@slipway/api/agents/connection-log-routes";
import type { RoleName } from "@slipway/api/users/user";
import { listWorkspaceConnections } from "@slipway/api/workspaces/connection-routes";
import { connectExternalAgent, makeWorkspace, pushTemplate } from "@slipway/testkit";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import {
  Agent,
  Connection_Action,
  Connection_Type,
  type StatsSchema,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { timestampFromMs } from "@slipway/wire/protobuf/time";
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from "vitest";

import {
  selectOpenTerminals,
  selectWorkspaceConnections,
} from "../src/features/agents/connections/connection-log-queries.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson } from "./support/people.ts";
import { seedAgent, seedBuild, seedWorkspace } from "./support/rows.ts";

/* Connections reported by agents, as seen by owners and auditors. */

const template = "driver: external\nagents: { main: { os: linux, arch: amd64 } }\n";
const opened = new AsyncDisposableStack();
let server: OpenServer;
let templateId: string;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  templateId = await pushTemplate(server.admin, "outside", template);
});

afterAll(() => opened.disposeAsync());

interface Report {
  readonly id: string;
  readonly action: Connection_Action;
  readonly type: Connection_Type;
  readonly atMs: number;
  readonly ip?: string;
  readonly statusCode?: number;
  readonly reason?: string;
}

/** Opens a workspace of a new user; `report` reports a connection to its agent. */
async function openWorkspace(username: string, roles: RoleName[] = []) {
  const { client, user } = await addPerson(server, username, roles);
  const workspace = await makeWorkspace(client, "dev", templateId, () => true);
  const { connection } = await connectExternalAgent(client, workspace.id, "main");
  onTestFinished(() => connection.close());
  const report = async ({ id, atMs, ...fields }: Report): Promise<void> => {
    const timestamp = timestampFromMs(atMs);
    await connection.unary(
      Agent.method.reportConnection,
      { connection: { ...fields, id: encodeUuid(id), timestamp } },
      new AbortController().signal,
    );
  };
  const updateStats = async (stats: MessageInitShape<typeof StatsSchema>): Promise<void> => {
    await connection.unary(Agent.method.updateStats, { stats }, new AbortController().signal);
  };
  return { workspace, user, client, report, updateStats };
}

async function read(query: Readonly<Record<string, string>>) {
  return server.admin.call(listConnectionLogs, { query });
}

it("lists connections, newest first, with their ends", async () => {
  const { workspace, user, report } = await openWorkspace("amy");
  const [first, second] = [randomUUID(), randomUUID()];
  const ssh = { type: Connection_Type.SSH, ip: "192.0.2.7" };
  await report({ ...ssh, id: first, action: Connection_Action.CONNECT, atMs: 1_000 });
  await report({
    ...ssh,
    id: first,
    action: Connection_Action.DISCONNECT,
    atMs: 61_000,
    statusCode: 7,
    reason: "over",
  });
  const pty = { type: Connection_Type.RECONNECTING_PTY, ip: "nonsense" };
  await report({ ...pty, id: second, action: Connection_Action.CONNECT, atMs: 2_000 });
  const place = {
    organization: { name: workspace.organization_name },
    workspace_owner_id: user.id,
    workspace_owner_username: "amy",
    workspace_id: workspace.id,
    workspace_name: "dev",
    agent_name: "main",
  };
  const { connection_logs: entries, count } = await read({ q: "workspace_owner:amy" });
  expect(count).toBe(2);
  expect(entries).toMatchObject([
    {
      ...place,
      id: second,
      connect_time: "1970-01-01T00:00:02Z",
      type: "reconnecting_pty",
      ssh_info: { connection_id: second },
    },
    {
      ...place,
      id: first,
      connect_time: "1970-01-01T00:00:01Z",
      type: "ssh",
      ssh_info: {
        connection_id: first,
        disconnect_time: "1970-01-01T00:01:01Z",
        disconnect_reason: "over",
        exit_code: 7,
      },
    },
  ]);
  for (const entry of entries) {
    // No client has the address that the agent reported.
    expect(entry).not.toHaveProperty("ip");
    expect(entry).not.toHaveProperty("user");
  }
  expect(entries[0]?.ssh_info).toEqual({ connection_id: second });
});

it("finds connections by each key, and pages through them", async () => {
  const { workspace, report } = await openWorkspace("bob");
  const ids = Array.from({ length: 5 }, () => randomUUID());
  for (const [index, id] of ids.entries()) {
    const type = index === 0 ? Connection_Type.VSCODE : Connection_Type.SSH;
    const atMs = Date.UTC(2026, 0, 1 + index);
    await report({ id, type, action: Connection_Action.CONNECT, atMs });
  }
  const [first = "", second = "", ...rest] = ids;
  await report({
    id: second,
    type: Connection_Type.SSH,
    action: Connection_Action.DISCONNECT,
    atMs: Date.UTC(2026, 0, 3),
  });
  const found = async (q: string, page = {}): Promise<readonly string[]> =>
    (await read({ q: `workspace_owner:bob ${q}`, ...page })).connection_logs.map(({ id }) => id);
  expect(await found("type:vscode")).toEqual([first]);
  expect(await found("status:completed")).toEqual([second]);
  expect(await found("status:ongoing")).toEqual([...rest.toReversed(), first]);
  expect(await found("-status:ongoing")).toEqual([second]);
  expect(await found(`-type:vscode -connection_id:${second}`)).toEqual(rest.toReversed());
  // Nobody is known to have made these, so they are not by the one who is excluded.
  expect(await found("-username:bob status:completed")).toEqual([second]);
  expect(await found("-dev")).toEqual([]);
  expect(await found(`connection_id:${second}`)).toEqual([second]);
  expect(await found(`workspace_id:${workspace.id} dev`)).toHaveLength(5);
  expect(await found("workspace:other")).toEqual([]);
  expect(
    await found(
      `workspace_owner_email:bob@example.com organization:${workspace.organization_name}`,
    ),
  ).toHaveLength(5);
  expect(await found("connected_before:2026-01-02")).toEqual([second, first]);
  expect(await found("connected_after:2026-01-05")).toEqual([ids[4]]);
  expect(await found("", { limit: "2", offset: "3" })).toEqual([second, first]);
  expect((await read({ q: "workspace_owner:me" })).count).toBe(0);
  const { client, ...own } = await openWorkspace("eve", ["auditor"]);
  const mine = randomUUID();
  const ssh = { type: Connection_Type.SSH, action: Connection_Action.CONNECT };
  await own.report({ ...ssh, id: mine, atMs: Date.UTC(2026, 0, 9) });
  const query = { q: "workspace_owner:me" };
  const { connection_logs: logs } = await client.call(listConnectionLogs, { query });
  expect(logs.map(({ id }) => id)).toEqual([mine]);
});

it("refuses an invalid search, and everybody who is no owner or auditor", async () => {
  await expect(read({ q: "type:telnet" })).rejects.toMatchObject({ status: 400 });
  await expect(read({ q: "user:ann" })).rejects.toMatchObject({ status: 400 });
  const { client } = await addPerson(server, "cid");
  await expect(client.call(listConnectionLogs, {})).rejects.toMatchObject({ status: 403 });
  const auditor = await addPerson(server, "dora", ["auditor"]);
  await expect(auditor.client.call(listConnectionLogs, {})).resolves.toMatchObject({
    count_cap: 2000,
  });
});

it("shows those who see a workspace who connects to it, but not from where", async () => {
  const { workspace, client, report } = await openWorkspace("gil");
  const other = await openWorkspace("hal");
  const started = {
    action: Connection_Action.CONNECT,
    type: Connection_Type.SSH,
    atMs: Date.now(),
  };
  const id = randomUUID();
  await report({ ...started, id });
  const ip = "192.0.2.7";
  await server.db.updateTable("workspace_connections").set({ ip }).where("id", "=", id).execute();
  // An agent's clock may be wrong.
  await other.report({ ...started, id: randomUUID(), atMs: started.atMs + 86_400_000 });
  const [ahead] = (await read({ q: "workspace_owner:hal" })).connection_logs;
  expect(Date.parse(ahead?.connect_time ?? "")).toBeLessThanOrEqual(Date.now());
  const params = { workspace: workspace.id };
  const own = await client.call(listWorkspaceConnections, { params });
  expect(own.connections).toMatchObject([{ id, type: "ssh", agent_name: "main" }]);
  expect(own.connections[0]).not.toHaveProperty("ip");
  const all = await server.admin.call(listWorkspaceConnections, { params });
  expect(all.connections).toMatchObject([{ id, ip }]);
  await expect(other.client.call(listWorkspaceConnections, { params })).rejects.toMatchObject({
    status: 404,
  });
});

it("shows of a workspace with many agents the newest connections to any of them", async () => {
  const place = await seedWorkspace(server.db);
  const ids: string[] = [];
  const terminals: (readonly string[])[] = [];
  for (const number of [1, 2, 3]) {
    const build = { number, transition: "start", job: "succeeded" } as const;
    const workspace_agent_id = await seedAgent(server.db, await seedBuild(server.db, place, build));
    const [id, connected_at] = [randomUUID(), `2026-01-0${number}T00:00:00Z`];
    const connection = { workspace_agent_id, id, type: "reconnecting_pty", connected_at } as const;
    await server.db.insertInto("workspace_connections").values(connection).execute();
    ids.unshift(id);
    terminals.unshift(await selectOpenTerminals(server.db, workspace_agent_id));
  }
  const rows = await selectWorkspaceConnections(server.db, place.workspaceId, 2);
  expect(rows.map(({ id }) => id)).toEqual(ids.slice(0, 2));
  expect(terminals).toEqual(ids.map((id) => [id]));
});

it("tells how much a workspace is used, by the latest report of each agent", async () => {
  const { workspace, client, updateStats } = await openWorkspace("ivy");
  const params = { workspace: workspace.id };
  expect((await client.call(listWorkspaceConnections, { params })).agents).toEqual([]);
  await updateStats({ connectionCount: 1n, sessionCountSsh: 2n });
  await updateStats({
    connectionCount: 1n,
    sessionCountVscode: 1n,
    connectionMedianLatencyMs: 4.5,
    rxBytes: 9n,
  });
  expect((await client.call(listWorkspaceConnections, { params })).agents).toMatchObject([
    {
      agent_name: "main",
      sessions: { ssh: 0, vscode: 1, jetbrains: 0, reconnecting_pty: 0 },
      median_latency_ms: 4.5,
      rx_bytes: 9,
      tx_bytes: 0,
    },
  ]);
});
