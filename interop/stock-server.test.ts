import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { getAgentLogs, getBuildTimings, type WorkspaceAgent } from "@slipway/api";
import { firstAgent, openClient, requireAgent, waitForWorkspace } from "@slipway/testkit";
import { expect, onTestFinished, test } from "vitest";

import { readMetadata } from "./support/read-metadata.ts";

/*
 * Our agent lives a whole life on a stock server that runs already. The environment names its address
 * (SLIPWAY_STOCK_SERVER), a session of a user (SLIPWAY_STOCK_SESSION), a workspace of his by id (SLIPWAY_STOCK_WORKSPACE)
 * and the token of its agent (SLIPWAY_STOCK_AGENT_TOKEN), to which no other agent is connected. The agent has a start
 * script that prints `hello from start`, a stop script that prints `bye from stop`, and an item of metadata.
 * `vitest.config.ts` leaves this file out, and says so, where SLIPWAY_STOCK_SERVER is not set.
 */

const program = fileURLToPath(new URL("../packages/agent/dist/agent.js", import.meta.url));

test("our agent lives a whole life on a stock server", async () => {
  const url = variable("SLIPWAY_STOCK_SERVER");
  const client = openClient(url, variable("SLIPWAY_STOCK_SESSION"));
  const id = variable("SLIPWAY_STOCK_WORKSPACE");
  const home = await mkdtemp(join(tmpdir(), "slipway-stock-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));

  const child = spawn(process.execPath, [program], {
    cwd: home,
    stdio: "ignore",
    env: {
      HOME: home,
      PATH: process.env["PATH"],
      CODER_AGENT_URL: url,
      CODER_AGENT_TOKEN: variable("SLIPWAY_STOCK_AGENT_TOKEN"),
      CODER_AGENT_LOG_DIR: home,
      CODER_AGENT_SCRIPT_DATA_DIR: join(home, "scripts"),
    },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const isGood = async (isTrue: (agent: WorkspaceAgent) => boolean): Promise<WorkspaceAgent> => {
    const found = await waitForWorkspace(client, id, (now) => {
      const agent = firstAgent(now);
      return agent !== undefined && isTrue(agent);
    });
    return requireAgent(found);
  };
  const ready = await isGood((agent) => {
    return agent.status === "connected" && agent.lifecycle_state === "ready";
  });
  expect(ready.health).toEqual({ healthy: true });
  expect(ready.expanded_directory).toMatch(/^\//);
  expect(ready.version).not.toBe("");
  // The server keeps what is collected for some seconds before it tells it.
  await expect
    .poll(async () => (await readMetadata(client, ready.id))[0]?.result.value, { timeout: 30_000 })
    .not.toBe("");

  const exited = once(child, "exit");
  child.kill("SIGINT");
  expect(await exited).toEqual([0, null]);
  await isGood((agent) => agent.lifecycle_state === "off");
  const logs = await client.call(getAgentLogs, { params: { agent: ready.id } });
  const lines = logs.map((log) => log.output);
  expect(lines.filter((line) => line === "hello from start")).toHaveLength(1);
  expect(lines.at(-1)).toBe("bye from stop");
  const { latest_build: build } = await waitForWorkspace(client, id, () => true);
  const timings = await client.call(getBuildTimings, { params: { build: build.id } });
  const ended = timings.agent_script_timings.map(({ stage, status }) => `${stage} ${status}`);
  expect(ended.toSorted()).toEqual(["start ok", "stop ok"]);
});

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}
