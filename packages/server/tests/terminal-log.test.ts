import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";

import { listConnectionLogs } from "@slipway/api/agents/connection-log-routes";
import { listConnectionPaths } from "@slipway/api/agents/connection-path-routes";
import { silentLogger, systemClock } from "@slipway/runtime";
import { connectExternalAgent, makeWorkspace, pushTemplate, requireAgent } from "@slipway/testkit";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import { Agent, Connection_Action, Connection_Type } from "@slipway/wire/protobuf/gen/agent_pb";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from "vitest";

import { WriteBudgets, writeBudgets } from "../src/features/agents/calls/write-budgets.ts";
import { TerminalLog } from "../src/features/agents/connections/terminal-log.ts";
import { openReplica, openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, type Person } from "./support/people.ts";
import { TerminalViewer } from "./support/terminal-viewer.ts";

/* The connection log of terminals that the server opens. */

const environment = {
  SLIPWAY_SECRET_KEY: randomBytes(32).toString("hex"),
  SLIPWAY_TRUSTED_PROXIES: "127.0.0.1,::1",
};
const own = "driver: process\nagents: { main: { os: linux, arch: amd64 } }\n";
const external = "driver: external\nagents: { main: { os: linux, arch: amd64 } }\n";
const opened = new AsyncDisposableStack();
let server: OpenServer;
let agentId = "";

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl"), environment));
  const templateId = await pushTemplate(server.admin, "terminals", own);
  const isReady = ({ status }: { readonly status: string }): boolean => status === "connected";
  const workspace = await makeWorkspace(server.admin, "terminals", templateId, isReady);
  agentId = requireAgent(workspace).id;
});

afterAll(() => opened.disposeAsync());

/** A person who may open terminals in all workspaces. */
function addGuest(): Promise<Person> {
  return addPerson(server, `p${randomUUID().slice(0, 8)}`, ["owner"]);
}

async function openTerminal({ client }: Person, url = server.url): Promise<TerminalViewer> {
  const headers = { ...client.headers, "x-forwarded-for": "203.0.113.9" };
  const viewer = new TerminalViewer({ url, headers, agentId, query: {} });
  await once(viewer.socket, "open");
  await viewer.type("echo $((40 + 2))", /42\r\n/);
  return viewer;
}

async function find(q: string) {
  return (await server.admin.call(listConnectionLogs, { query: { q } })).connection_logs;
}

it("has a path through the server, with the latency from there to the agent", async () => {
  const guest = await addGuest();
  const viewer = await openTerminal(guest);
  const [{ id: connection } = { id: "" }] = await find(`username:${guest.user.username}`);
  const params = { agent: agentId };
  const pathOf = async () => {
    const { paths } = await server.admin.call(listConnectionPaths, { params });
    return paths.find(({ connection_id: id }) => id === connection);
  };
  expect(await pathOf()).toMatchObject({ kind: "server", latency_ms: expect.any(Number) });
  viewer.socket.close();
  await viewer.ended;
  await expect.poll(pathOf).toBeUndefined();
  const { client: stranger } = await addPerson(server, "stranger", ["auditor"]);
  await expect(stranger.call(listConnectionPaths, { params })).rejects.toMatchObject({
    status: 404,
  });
});

it("names whoever opens a terminal in another user's workspace, and its end", async () => {
  const guest = await addGuest();
  const viewer = await openTerminal(guest);
  const { id, username } = guest.user;
  const begin = { type: "reconnecting_pty", user: { id, username }, ip: "203.0.113.9" };
  const ofGuest = `username:${username}`;
  const [open, ...others] = await find(`${ofGuest} status:ongoing`);
  expect(open).toMatchObject({ ...begin, workspace_owner_username: "admin" });
  expect(others).toEqual([]);
  await viewer.type("exit", /exit/);
  await viewer.ended;
  await expect.poll(() => find(`${ofGuest} status:completed`)).toHaveLength(1);
  const [ended] = await find(ofGuest);
  expect(ended).toMatchObject(begin);
  expect(ended?.ssh_info).toMatchObject({ exit_code: 0, disconnect_reason: "graceful" });
});

it("names both users of one terminal, and each once", async () => {
  const guests = [await addGuest(), await addGuest()];
  for (const guest of guests) await openTerminal(guest);
  for (const { user } of guests) expect(await find(`username:${user.username}`)).toHaveLength(1);
});

it("ends the record with the server that opened the terminal", async () => {
  const guest = await addGuest();
  const replica = await openReplica(server, environment);
  const viewer = await openTerminal(guest, replica.url);
  await replica[Symbol.asyncDispose]();
  await viewer.ended;
  expect(await find(`username:${guest.user.username} status:completed`)).toHaveLength(1);
});

it("does not store what an agent reports of the server's terminals, but whatever else it reports", async () => {
  await openTerminal(await addGuest());
  const { rows } = await sql<{ value: string }>`
    select value from tailnet_reservations where holder like 'server:%' and value like 'fd7a:%'`.execute(
    server.db,
  );
  const [address = ""] = rows.map(({ value }) => value);
  const { client } = await addGuest();
  const templateId = await pushTemplate(server.admin, "outside", external);
  const workspace = await makeWorkspace(client, "dev", templateId, () => true);
  const { connection } = await connectExternalAgent(client, workspace.id, "main");
  onTestFinished(() => connection.close());
  const report = async (type: Connection_Type, ip: string): Promise<string> => {
    const id = randomUUID();
    const fields = { action: Connection_Action.CONNECT, type, ip, id: encodeUuid(id) };
    const { signal } = new AbortController();
    await connection.unary(Agent.method.reportConnection, { connection: fields }, signal);
    return id;
  };
  const { RECONNECTING_PTY, SSH } = Connection_Type;
  expect(await find(`connection_id:${await report(RECONNECTING_PTY, address)}`)).toEqual([]);
  const ofUser = "fd7a:115c:a1e0::1";
  const reservation = { value: ofUser, holder: `user:${randomUUID()}`, peer_id: randomUUID() };
  await server.db.insertInto("tailnet_reservations").values(reservation).execute();
  for (const id of [await report(SSH, address), await report(RECONNECTING_PTY, ofUser)]) {
    const [entry, ...others] = await find(`connection_id:${id}`);
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ id });
    expect(entry).not.toHaveProperty("user");
    expect(entry).not.toHaveProperty("ip");
  }
});

it("records no more terminals of an agent than its budget allows", async () => {
  const { user } = await addGuest();
  const budgets = new WriteBudgets({ monotonic: () => 0 });
  const log = new TerminalLog({ db: server.db, clock: systemClock, budgets, logger: silentLogger });
  const { burst } = writeBudgets.terminals;
  for (let times = 0; times <= burst; times += 1) {
    const terminal = await log.open({ agentId, userId: user.id, ip: undefined });
    await terminal.close({ statusCode: 0, reason: "graceful" });
  }
  const query = { q: `username:${user.username} status:completed` };
  const { count } = await server.admin.call(listConnectionLogs, { query });
  expect(count).toBe(burst);
  const { user: other } = await addGuest();
  await log.open({ agentId, userId: other.id, ip: undefined });
  expect(await find(`username:${other.username}`)).toEqual([]);
});
