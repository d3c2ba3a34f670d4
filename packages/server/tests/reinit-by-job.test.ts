import { cancelBuild, getBuild } from "@slipway/api/builds/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { connectWithToken, type ExternalAgent, waitForWorkspace } from "@slipway/testkit";
import { afterEach, beforeEach, expect, inject, it } from "vitest";

import { selectManifests, getManifest } from "../src/features/agents/manifest/manifest-rpc.ts";
import { GatheredLookups } from "../src/platform/db/gathered-lookups.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { becomeReady, claim } from "./support/pool.ts";
import { frameOf, openReinitPool, ping } from "./support/reinit-pool.ts";
import { openReinit, type ReinitReader } from "./support/reinit.ts";
import { SlowDriver } from "./support/slow-driver.ts";

/* A driver that claims a prebuild in a job: the responses to its agents before, during and after the job. */

let opened: AsyncDisposableStack;
let server: OpenServer;
let driver: SlowDriver;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  driver = new SlowDriver();
  server = opened.use(await openServer(inject("postgresUrl"), {}, [driver]));
});

afterEach(() => opened.disposeAsync());

async function ask(agent: ExternalAgent): Promise<ReinitReader> {
  return opened.use(await openReinit(server.url, agent));
}

/** Requests something that belongs to the agent's workspace. */
function askForKey({ token }: ExternalAgent): Promise<Response> {
  const url = `${server.url}/api/v2/workspaceagents/me/gitsshkey`;
  return fetch(url, { headers: { "Coder-Session-Token": token } });
}

const openPool = () => openReinitPool(server, opened, driver);

it("lets the agents wait through a claim's build, and nothing else, until it has succeeded", async () => {
  const { pool, main, client } = await openPool();
  const before = await ask(main);
  const workspace = await claim(client, "mine", pool);
  expect(workspace.latest_build).toMatchObject({ build_number: 2, transition: "start" });
  await driver.begun;
  await main.connection.closed;
  const during = await ask(main);
  expect(await during.until(ping)).toBe(ping);
  expect((await askForKey(main)).status).toBe(401);
  // A session that started at the moment of the claim may not either.
  const { id: agentId } = await server.db
    .selectFrom("workspace_agents as agent")
    .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
    .where("build.workspace_id", "=", workspace.id)
    .where("agent.name", "=", "main")
    .select("agent.id")
    .executeTakeFirstOrThrow();
  const needs = {
    manifests: new GatheredLookups((ids) => selectManifests(server.db, ids)),
    readDerpMap: () => ({ Regions: {} }),
    readAppearance: () => Promise.resolve({ announcement_banners: [] }),
    gitAuthConfigs: 0,
  };
  const manifest = getManifest(needs, { agent: { agentId } });
  await expect(manifest).rejects.toThrow("build is outdated");
  driver.end("succeed");
  expect(await before.rest()).toBe(ping + frameOf(workspace));
  expect((await askForKey(main)).status).toBe(200);
});

it("gives who asks during a claim's build the time to begin as the new owner's", async () => {
  const { pool, main, client } = await openPool();
  const workspace = await claim(client, "mine", pool);
  await driver.begun;
  await main.connection.closed;
  // Possibly a process that the build started: it knows nothing of previous lives.
  const during = await ask(main);
  await during.until(ping);
  driver.end("succeed");
  await waitForWorkspace(client, workspace.id, ({ latest_build: b }) => b.status === "running");
  const now = await connectWithToken(server.url, main.token);
  opened.defer(() => now.connection.close());
  await becomeReady(now);
  expect(await during.rest()).toBe(ping);
});

it("keeps waiting when a claim's build fails or is canceled; the next start hands over", async () => {
  const { pool, main, client } = await openPool();
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
