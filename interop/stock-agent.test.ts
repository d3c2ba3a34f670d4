import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { getAgentLogs } from "@slipway/api/agents/log-routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { ApiClient } from "@slipway/sdk/http";
import {
  firstAgent,
  type LocalServer,
  logInAsAdmin,
  openLocalServer,
  pushTemplate,
  requireAgent,
  type ServerProcess,
  startServerProcess,
  waitForWorkspace,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

import { makeExternalWorkspace } from "./support/external-workspace.ts";
import { readMetadata } from "./support/read-metadata.ts";
import { runStockAgent } from "./support/run-stock-agent.ts";
import { type StockProgram, stockPrograms } from "./support/stock-program.ts";

/*
 * Stock agents, whose programs the environment names with `:` between them, live a whole life on our server, which is
 * stopped in the meantime, once with SIGTERM and once with SIGKILL. `vitest.config.ts` leaves this file out, and says
 * so, where SLIPWAY_STOCK_AGENT is not set.
 */

const template = (appUrl: string): string => `
driver: external
agents:
  main:
    os: linux
    arch: amd64
    directory: "~"
    scripts:
      greet: { run_on: [start], run: echo hello from start }
      count:
        run_on: [start]
        run: |
          echo started >> ~/starts.txt
          i=0
          while ! [ -e ~/finish ]; do i=$((i + 1)); echo "line $i"; sleep 0.05; done
      bye: { run_on: [stop], run: echo bye }
    metadata:
      lines: { display_name: Lines, interval: 1s, timeout: 5s, run: cat ~/starts.txt }
    apps:
      web:
        display_name: Web
        url: ${appUrl}
        health: { url: "${appUrl}", interval: 1s, threshold: 3 }
`;

const opened = new AsyncDisposableStack();
let directory = "";
let server: ServerProcess;
let client: ApiClient;
let templateId = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-stock-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  server = await startServerProcess({ dataDir: directory, port: 0 });
  opened.defer(() => server.end("SIGINT"));
  const app: LocalServer = opened.use(
    await openLocalServer(createServer((_request, response) => response.end("well"))),
  );
  client = await logInAsAdmin(server.url);
  templateId = await pushTemplate(client, "stock", template(app.url));
});

afterAll(() => opened.disposeAsync());

it.each(stockPrograms("SLIPWAY_STOCK_AGENT").map((one) => [one.name, one] as const))(
  "%s lives a whole life, over restarts of the server",
  async (name, { path }: StockProgram) => {
    await using life = new AsyncDisposableStack();
    const home = join(directory, name);
    const { id, token } = await makeExternalWorkspace(client, templateId, name);
    const agent = await runStockAgent({ program: path, serverUrl: server.url, token, home });
    life.defer(() => void agent.kill("SIGKILL"));

    const isGood = async (isTrue: (found: WorkspaceAgent) => boolean): Promise<WorkspaceAgent> => {
      const found = await waitForWorkspace(client, id, (now) => {
        const one = firstAgent(now);
        return one !== undefined && one.status === "connected" && isTrue(one);
      });
      return requireAgent(found);
    };
    const { id: agentId } = await isGood(({ lifecycle_state: state }) => state === "starting");
    await waitForWorkspace(client, id, (now) => statusOf(now, "greet") === "ok");
    await untilNewLines(agentId);
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await restart(signal);
      await untilNewLines(agentId);
    }

    await writeFile(join(home, "finish"), "");
    const ready = await isGood((one) => {
      return one.lifecycle_state === "ready" && one.apps[0]?.health === "healthy";
    });
    expect(ready.health).toEqual({ healthy: true });
    // The start script ran once.
    expect(await readFile(join(home, "starts.txt"), "utf8")).toBe("started\n");
    const [metadata] = await readMetadata(client, agentId);
    expect(metadata?.result).toMatchObject({ value: "started", error: "" });

    expect(await endOf(agent)).toEqual([0, null]);
    const off = await waitForWorkspace(client, id, (now) => {
      return firstAgent(now)?.lifecycle_state === "off";
    });
    // Stock agents report no script as ended once their first connection is gone.
    expect(statusOf(off, "greet")).toBe("ok");
    const lines = await readLines(agentId);
    expect(lines.filter((line) => line === "hello from start")).toHaveLength(1);
    expect(lines.at(-1)).toBe("bye");
    const counted = lines.filter((line) => line.startsWith("line "));
    expect(counted).toEqual(counted.map((_, index) => `line ${index + 1}`));
    expect(lines).toHaveLength(counted.length + 2);
  },
);

function statusOf(workspace: Workspace, name: string): string | undefined {
  return firstAgent(workspace)?.scripts.find((one) => one.display_name === name)?.status;
}

/** Stops the server and starts it again at the same address. */
async function restart(signal: NodeJS.Signals): Promise<void> {
  const port = Number(new URL(server.url).port);
  await server.end(signal);
  server = await startServerProcess({ dataDir: directory, port });
}

async function readLines(agent: string): Promise<string[]> {
  const logs = await client.call(getAgentLogs, { params: { agent } });
  return logs.map((log) => log.output);
}

/** Waits until the log has the new output. */
async function untilNewLines(agent: string): Promise<void> {
  const { length } = await readLines(agent);
  await expect
    .poll(async () => (await readLines(agent)).length, { timeout: 60_000, interval: 100 })
    .toBeGreaterThan(length + 5);
}

/** Interrupts the agent and waits for its exit. */
async function endOf(agent: ChildProcess): Promise<unknown[]> {
  const exited = once(agent, "exit");
  agent.kill("SIGINT");
  return exited;
}
