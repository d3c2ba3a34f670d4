import { cancelBuild, createBuild, getBuild, getWorkspace, type Workspace } from "@slipway/api";
import {
  connectExternalAgent,
  connectWithToken,
  type ExternalAgent,
  requireAgent,
  waitForWorkspace,
} from "@slipway/testkit";
import { Lifecycle_State } from "@slipway/wire";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, inject, test } from "vitest";

import { getManifest } from "../src/agents/rpc/manifest.ts";
import { openReplica, openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, type Client } from "./support/people.ts";
import {
  becomeReady,
  report,
  claim,
  type ConnectAgent,
  fillPool,
  pushPool,
  type TestPool,
} from "./support/pool.ts";
import { openReinit, type ReinitReader } from "./support/reinit.ts";
import { SlowDriver } from "./support/slow-driver.ts";

let opened: AsyncDisposableStack;
let server: OpenServer;
let driver: SlowDriver;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  driver = new SlowDriver();
  server = opened.use(await openServer(inject("postgresUrl"), {}, [driver]));
});

afterEach(() => opened.disposeAsync());

const ping = "event: ping\n\n";

function frameOf(workspace: Workspace): string {
  const { id, owner_id: owner } = workspace;
  return `event: data\ndata: {"workspace_id":"${id}","reason":"prebuild_claimed","owner_id":"${owner}"}\n\n`;
}

async function ask(agent: ExternalAgent, query?: string, url = server.url): Promise<ReinitReader> {
  return opened.use(await openReinit(url, agent, query));
}

/** What an agent may ask for that is its workspace's. */
function askForKey({ token }: ExternalAgent): Promise<Response> {
  const url = `${server.url}/api/v2/workspaceagents/me/gitsshkey`;
  return fetch(url, { headers: { "Coder-Session-Token": token } });
}

/** A prebuild whose agents are connected, and Ann, who is to have it. */
async function openPool(driverName = "external"): Promise<{
  readonly pool: TestPool;
  readonly agents: readonly ExternalAgent[];
  readonly main: ExternalAgent;
  readonly client: Client;
}> {
  const pool = await pushPool(server, 1, { driver: driverName });
  // Only the driver `external` gives tokens away.
  const connect: ConnectAgent = (id, name) =>
    connectWithToken(server.url, driver.tokenOf(id, name));
  const options = driverName === driver.name ? { connect } : {};
  const [filled] = await fillPool(server, 1, opened, options);
  const [main] = filled?.agents ?? [];
  if (filled === undefined || main === undefined) throw new Error("the pool is empty");
  const { client } = await addPerson(server, "ann");
  return { pool, agents: filled.agents, main, client };
}

test("pings at once, sends each agent one frame at the claim, and ends the answer", async () => {
  const { pool, agents, client } = await openPool();
  const streams = await Promise.all(agents.map((agent) => ask(agent)));
  const begun = performance.now();
  for (const stream of streams) {
    expect(stream.status).toBe(200);
    expect(stream.headers.get("content-type")).toBe("text/event-stream");
    expect(stream.headers.get("cache-control")).toBe("no-cache");
    expect(stream.headers.get("x-accel-buffering")).toBe("no");
    expect(await stream.until(ping)).toBe(ping);
  }
  expect(performance.now() - begun).toBeLessThan(1_000);
  const workspace = await claim(client, "mine", pool);
  for (const stream of streams) {
    expect(await stream.rest()).toBe(ping + frameOf(workspace));
  }
});

test("tells nobody twice, and refuses once the agent has begun its new life", async () => {
  const { pool, main, client } = await openPool();
  const stream = await ask(main);
  const workspace = await claim(client, "mine", pool);
  await stream.rest();
  const again = await ask(main);
  const old = await ask(main, "");
  await Promise.all([again.until(ping), old.until(ping)]);
  const now = await connectExternalAgent(client, workspace.id, "main");
  opened.defer(() => now.connection.close());
  await becomeReady(now);
  expect(await again.rest()).toBe(ping);
  const refused = await ask(main);
  expect(refused.status).toBe(409);
  expect(await refused.rest()).toContain("Workspace is not a prebuilt workspace");
  // An agent that takes every refusal for an error is kept waiting.
  expect((await ask(main, "wait=yes")).status).toBe(200);
  expect(old.text()).toBe(ping);
});

test("takes only the report of a new beginning for one", async () => {
  const { pool, main, client } = await openPool();
  const workspace = await claim(client, "mine", pool);
  const now = await connectExternalAgent(client, workspace.id, "main");
  opened.defer(() => now.connection.close());
  // The answer to its last report was lost, so it is made again; then it ends its life before.
  const states = [Lifecycle_State.READY, Lifecycle_State.SHUTTING_DOWN, Lifecycle_State.OFF];
  for (const state of states) {
    await report(now, state);
    const { lifecycle_state: shown } = requireAgent(
      await client.call(getWorkspace, { params: { workspace: workspace.id } }),
    );
    expect(shown).toBe("created");
  }
  const stream = await ask(main);
  expect(await stream.rest()).toBe(ping + frameOf(workspace));
  await becomeReady(now);
  expect((await ask(main)).status).toBe(409);
});

test("tells nobody again who was seen to end his life before", async () => {
  const { pool, agents, client } = await openPool();
  const [main = [], second = []] = await Promise.all(
    agents.map(async (agent) => {
      const streams = await Promise.all([ask(agent), ask(agent)]);
      return streams.map((stream) => stream.rest());
    }),
  );
  const workspace = await claim(client, "mine", pool);
  const told = ping + frameOf(workspace);
  expect(await Promise.all([main, second].map((rests) => Promise.race(rests)))).toEqual([
    told,
    told,
  ]);
  const now = await connectExternalAgent(client, workspace.id, "main");
  opened.defer(() => now.connection.close());
  await report(now, Lifecycle_State.SHUTTING_DOWN);
  await server.db
    .updateTable("workspace_agents")
    .set({ reinit_sent_at: sql`now() - interval '1 hour'` })
    .execute();
  // A hint for all streams of the workspace.
  await report(now, Lifecycle_State.OFF);
  // Both agents are looked at together, so the other one's second frame says that nothing came of it for this one.
  expect(await Promise.all(second)).toEqual([told, told]);
  await becomeReady(now);
  expect((await Promise.all(main)).toSorted()).toEqual([ping, told]);
});

test("refuses the agent of an ordinary workspace, and one of before refusals waits", async () => {
  const { pool, client } = await openPool();
  await claim(client, "first", pool);
  const workspace = await claim(client, "second", pool);
  await waitForWorkspace(client, workspace.id, ({ latest_build: b }) => b.status === "running");
  const agent = await connectExternalAgent(client, workspace.id, "main");
  opened.defer(() => agent.connection.close());
  expect((await ask(agent)).status).toBe(409);
  expect((await ask(agent, "wait=TRUE")).status).toBe(409);
  const silent = await ask(agent, "");
  expect(silent.status).toBe(200);
  expect(await silent.until(ping)).toBe(ping);
});

test("reaches an agent that asked at another replica", async () => {
  const { pool, main, client } = await openPool();
  const replica = opened.use(await openReplica(server));
  const stream = await ask(main, undefined, replica.url);
  await stream.until(ping);
  const workspace = await claim(client, "mine", pool);
  expect(await stream.rest()).toBe(ping + frameOf(workspace));
});

test("ends the answer when the workspace is deleted", async () => {
  const { pool, main, client } = await openPool();
  const workspace = await claim(client, "mine", pool);
  const now = await connectExternalAgent(client, workspace.id, "main");
  await becomeReady(now);
  const stream = await ask(main, "");
  await stream.until(ping);
  const body = { transition: "delete" } as const;
  await client.call(createBuild, { params: { workspace: workspace.id }, body });
  expect(await stream.rest()).toBe(ping);
  expect((await ask(main, "")).status).toBe(401);
});

test("lets the agents wait through a claim's build, and nothing else, until it has succeeded", async () => {
  const { pool, main, client } = await openPool(driver.name);
  const before = await ask(main);
  const workspace = await claim(client, "mine", pool);
  expect(workspace.latest_build).toMatchObject({ build_number: 2, transition: "start" });
  await driver.begun;
  await main.connection.closed;
  const during = await ask(main);
  expect(await during.until(ping)).toBe(ping);
  expect((await askForKey(main)).status).toBe(401);
  // Nor may a session that began at the moment of the claim.
  const { id: agentId } = await server.db
    .selectFrom("workspace_agents as agent")
    .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
    .where("build.workspace_id", "=", workspace.id)
    .where("agent.name", "=", "main")
    .select("agent.id")
    .executeTakeFirstOrThrow();
  const manifest = getManifest({ db: server.db, agent: { agentId } });
  await expect(manifest).rejects.toThrow("build is outdated");
  driver.end("succeed");
  expect(await before.rest()).toBe(ping + frameOf(workspace));
  expect((await askForKey(main)).status).toBe(200);
});

test("keeps waiting when a claim's build fails or is canceled; the next start hands over", async () => {
  const { pool, main, client } = await openPool(driver.name);
  const stream = await ask(main);
  const workspace = await claim(client, "mine", pool);
  const params = { workspace: workspace.id };
  await driver.begun;
  driver.end("fail");
  const statusOf = async (build: string) =>
    (await client.call(getBuild, { params: { build } })).status;
  await expect.poll(() => statusOf(workspace.latest_build.id)).toBe("failed");

  const second = await client.call(createBuild, { params, body: { transition: "start" } });
  await driver.begun;
  await client.call(cancelBuild, { params: { build: second.id } });
  await expect.poll(() => statusOf(second.id)).toBe("canceled");
  driver.end("fail");
  expect((await ask(main)).status).toBe(200);
  expect(stream.text()).not.toContain("data");

  const third = await client.call(createBuild, { params, body: { transition: "start" } });
  await driver.begun;
  driver.end("succeed");
  expect(await stream.rest()).toBe(ping + frameOf(workspace));
  await expect.poll(() => statusOf(third.id)).toBe("running");
  const agents = await server.db
    .selectFrom("workspace_agents")
    .where("workspace_build_id", "=", third.id)
    .where("deleted", "=", false)
    .select(["name", "took_over"])
    .orderBy("name")
    .execute();
  expect(agents).toEqual([
    { name: "main", took_over: true },
    { name: "second", took_over: true },
  ]);
});
