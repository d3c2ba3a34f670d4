import type { Transition } from "@slipway/api/builds/resource";
import { getBuild } from "@slipway/api/builds/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { connectWithToken, pushVersion } from "@slipway/testkit";
import { afterEach, beforeEach, expect, inject, it } from "vitest";

import { openServer, type OpenServer } from "./support/open-server.ts";
import { becomeReady, claim } from "./support/pool.ts";
import { frameOf, openReinitPool, ping, type ReinitPool } from "./support/reinit-pool.ts";
import { openReinit } from "./support/reinit.ts";
import { SlowDriver } from "./support/slow-driver.ts";

/** A user's options after a claim whose build failed, with a driver that has work to do at a claim. */

let opened: AsyncDisposableStack;
let server: OpenServer;
let driver: SlowDriver;
let pool: ReinitPool;
let workspace: Workspace;
/** The running agents, as known to the driver. */
let running: readonly string[];

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  driver = new SlowDriver();
  server = opened.use(await openServer(inject("postgresUrl"), {}, [driver]));
  pool = await openReinitPool(server, opened, driver);
  workspace = await claim(pool.client, "mine", pool.pool);
  running = pool.agents.map(({ token }, index) => `${["main", "second"][index]} ${token}`);
  await driver.begun;
  driver.end("fail");
  await expect.poll(() => statusOf(workspace.latest_build.id)).toBe("failed");
  driver.takeAsked(workspace.id);
});

afterEach(() => opened.disposeAsync());

async function statusOf(buildId: string): Promise<string> {
  return (await pool.client.call(getBuild, { params: { build: buildId } })).status;
}

async function build(transition: Transition, versionId?: string): Promise<string> {
  const version = versionId === undefined ? {} : { template_version_id: versionId };
  const params = { workspace: workspace.id };
  return (await pool.client.call(createBuild, { params, body: { transition, ...version } })).id;
}

/** Pushes a version of the pool's template with agents of these names. */
function pushAgents(driverName: string, names: readonly string[]): Promise<string> {
  const agents = names.map((name) => `  ${name}: { os: linux, arch: amd64 }\n`).join("");
  const yaml = `driver: ${driverName}\nparameters:\n  size: { type: string, default: small, mutable: false }\nagents:\n${agents}`;
  return pushVersion(server.admin, yaml, { templateId: pool.pool.template.id });
}

async function openStream() {
  const stream = opened.use(await openReinit(server.url, pool.main));
  expect(stream.status).toBe(200);
  await stream.until(ping);
  return stream;
}

it.each(["stop", "delete"] as const)(
  "gives the driver the agents that still run, at a %s after a claim that failed",
  async (transition) => {
    const id = await build(transition);
    await expect.poll(() => statusOf(id)).toBe(transition === "stop" ? "stopped" : "deleted");
    expect(driver.takeAsked(workspace.id)).toEqual([{ what: transition, agents: running }]);
  },
);

it("hands over with another version that names the same agents", async () => {
  const stream = await openStream();
  const id = await build("start", await pushAgents(driver.name, ["second", "main"]));
  await driver.begun;
  driver.end("succeed");
  expect((await stream.rest()).replaceAll(ping, "")).toBe(frameOf(workspace));
  await expect.poll(() => statusOf(id)).toBe("running");
  expect(driver.takeAsked(workspace.id)).toEqual([{ what: "claim", agents: running }]);
});

it("starts anew with a version that names other agents, and ends those that ran", async () => {
  const stream = await openStream();
  const id = await build("start", await pushAgents(driver.name, ["main", "other"]));
  await expect.poll(() => statusOf(id)).toBe("running");
  expect((await stream.rest()).replaceAll(ping, "")).toBe("");
  expect((await openReinit(server.url, pool.main)).status).toBe(401);
  const [asked] = driver.takeAsked(workspace.id);
  expect(asked?.what).toBe("start");
  expect(asked?.agents.map((text) => text.split(" ")[0])).toEqual(["main", "other"]);
  expect(running).not.toContain(asked?.agents[0]);
  // Its processes belong to the current life, and are not told to reinitialize.
  for (const name of ["main", "other"]) {
    const agent = await connectWithToken(server.url, driver.tokenOf(workspace.id, name));
    opened.defer(() => agent.connection.close());
    await becomeReady(agent);
    expect((await openReinit(server.url, agent)).status).toBe(409);
  }
});

it("has the driver that ran the prebuild remove it, where the version names another one", async () => {
  const id = await build("start", await pushAgents("external", ["main", "second"]));
  await expect.poll(() => statusOf(id)).toBe("running");
  expect(driver.takeAsked(workspace.id)).toEqual([{ what: "delete", agents: running }]);
  expect((await openReinit(server.url, pool.main)).status).toBe(401);
});

it("does not hand over what a start that failed has ended", async () => {
  driver.isBroken = true;
  const other = await build("start", await pushAgents(driver.name, ["other"]));
  await expect.poll(() => statusOf(other)).toBe("failed");
  driver.isBroken = false;
  driver.takeAsked(workspace.id);
  const again = await build("start", pool.pool.template.active_version_id);
  await expect.poll(() => statusOf(again)).toBe("running");
  expect(driver.takeAsked(workspace.id)).toMatchObject([{ what: "start" }]);
});
