import { createBuild } from "@slipway/api/workspaces/build-routes";
import { getWorkspace, renameWorkspace } from "@slipway/api/workspaces/routes";
import {
  connectExternalAgent,
  type ExternalAgent,
  requireAgent,
  waitForWorkspace,
} from "@slipway/testkit";
import { Lifecycle_State } from "@slipway/wire/protobuf/gen/agent_pb";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, inject, it } from "vitest";

import { openReplica, openServer, type OpenServer } from "./support/open-server.ts";
import { becomeReady, claim, report } from "./support/pool.ts";
import { frameOf, openReinitPool, ping } from "./support/reinit-pool.ts";
import { openReinit, type ReinitReader } from "./support/reinit.ts";

let opened: AsyncDisposableStack;
let server: OpenServer;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  server = opened.use(await openServer(inject("postgresUrl")));
});

afterEach(() => opened.disposeAsync());

async function ask(agent: ExternalAgent, query?: string, url = server.url): Promise<ReinitReader> {
  return opened.use(await openReinit(url, agent, query));
}

const openPool = () => openReinitPool(server, opened);

it("pings at once, sends each agent one frame at the claim, and ends the answer", async () => {
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
  expect(performance.now() - begun).toBeLessThan(5_000);
  const workspace = await claim(client, "mine", pool);
  for (const stream of streams) {
    expect(await stream.rest()).toBe(ping + frameOf(workspace));
  }
});

it("tells nobody twice, and refuses once the agent has begun its new life", async () => {
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
  // An agent that treats every refusal as an error is kept waiting.
  expect((await ask(main, "wait=yes")).status).toBe(200);
  expect(old.text()).toBe(ping);
});

it("takes only the report of a new beginning for one", async () => {
  const { pool, main, client } = await openPool();
  const workspace = await claim(client, "mine", pool);
  const now = await connectExternalAgent(client, workspace.id, "main");
  opened.defer(() => now.connection.close());
  // The response to its last report was lost, so it repeats it; then it ends its previous life.
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

it("tells no agent again that was seen to end its life before", async () => {
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
  await report(now, Lifecycle_State.OFF);
  // A hint for all streams of the workspace.
  const params = { workspace: workspace.id };
  await client.call(renameWorkspace, { params, body: { name: "other" } });
  // Both agents are checked together, so the other one's second frame shows that this one gets none.
  expect(await Promise.all(second)).toEqual([told, told]);
  await becomeReady(now);
  expect((await Promise.all(main)).toSorted()).toEqual([ping, told]);
});

it("refuses the agent of an ordinary workspace, and one of before refusals waits", async () => {
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

it("reaches an agent that asked at another replica", async () => {
  const { pool, main, client } = await openPool();
  const replica = opened.use(await openReplica(server));
  const stream = await ask(main, undefined, replica.url);
  await stream.until(ping);
  const workspace = await claim(client, "mine", pool);
  expect(await stream.rest()).toBe(ping + frameOf(workspace));
});

it("ends the answer when the workspace is deleted", async () => {
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
