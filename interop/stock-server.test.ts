import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getBuildTimings } from "@slipway/api/builds/routes";
import { startAgentProcess } from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";

import { readMetadata } from "./support/read-metadata.ts";
import {
  findStockWorkspace,
  readLines,
  startAnew,
  waitForAgent,
} from "./support/stock-workspace.ts";

/*
 * Our agent lives a whole life on a running stock server. The environment names its address (SLIPWAY_STOCK_SERVER), a
 * user's session (SLIPWAY_STOCK_SESSION), a workspace of theirs by id (SLIPWAY_STOCK_WORKSPACE) and the token of its
 * agent (SLIPWAY_STOCK_AGENT_TOKEN), which each build gives it again, and to which no other agent is connected. The
 * agent has a directory, a start script that prints `hello from start`, a stop script that prints `bye from stop`, and
 * an item of metadata. `vitest.config.ts` leaves this file out, and says so, where SLIPWAY_STOCK_SERVER is not set.
 */

it("our agent lives a whole life on a stock server", async () => {
  const workspace = findStockWorkspace();
  const { client, agentToken: token } = workspace;
  const home = await mkdtemp(join(tmpdir(), "slipway-stock-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));

  const { latest_build: build } = await startAnew(workspace);
  const child = await startAgentProcess({ serverUrl: client.serverUrl, token, home });
  onTestFinished(() => void child.kill("SIGKILL"));
  const ready = await waitForAgent(workspace, (agent) => {
    return agent.status === "connected" && agent.lifecycle_state === "ready";
  });
  expect(ready.health).toEqual({ healthy: true });
  expect(ready.expanded_directory).toMatch(/^\//);
  expect(ready.version).not.toBe("");
  // The server keeps collected values for some seconds before it passes them on.
  await expect
    .poll(async () => (await readMetadata(client, ready.id))[0]?.result.value, { timeout: 30_000 })
    .not.toBe("");

  const exited = once(child, "exit");
  child.kill("SIGINT");
  expect(await exited).toEqual([0, null]);
  await waitForAgent(workspace, (agent) => agent.lifecycle_state === "off");
  const lines = await readLines(workspace, ready.id);
  expect(lines.filter((line) => line === "hello from start")).toHaveLength(1);
  expect(lines.at(-1)).toBe("bye from stop");
  const timings = await client.call(getBuildTimings, { params: { build: build.id } });
  const ended = timings.agent_script_timings.map(({ stage, status }) => `${stage} ${status}`);
  expect(ended.toSorted()).toEqual(["start ok", "stop ok"]);
});
