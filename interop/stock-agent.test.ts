import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getAgentLogs, type WorkspaceAgent } from "@slipway/api";
import {
  firstAgent,
  logInAsAdmin,
  makeWorkspace,
  pushTemplate,
  type ServerProcess,
  startServerProcess,
  waitForWorkspace,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";

/*
 * A stock agent, whose program the environment names, lives on our server with the token of a workspace whose own agent was
 * ended. `vitest.config.ts` leaves this file out, and says so, where SLIPWAY_STOCK_AGENT is not set.
 */

const program = process.env["SLIPWAY_STOCK_AGENT"] ?? "";

const template = `
driver: process
agents:
  main:
    os: linux
    arch: amd64
    directory: "~"
    scripts:
      hello: { run_on: [start], run: echo hello from start }
      bye: { run_on: [stop], run: echo bye }
    metadata:
      a: { display_name: A, interval: 1s, timeout: 5s, run: echo 1 }
`;

let dataDir = "";
let server: ServerProcess;
let stock: ChildProcess | undefined;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "slipway-stock-"));
  server = await startServerProcess({ dataDir, port: 0 });
});

afterAll(async () => {
  stock?.kill("SIGKILL");
  await server.end("SIGINT");
  await rm(dataDir, { recursive: true, force: true });
});

test("a stock agent starts, logs, reports metadata, is ready, and runs its stop script", async () => {
  const client = await logInAsAdmin(server.url);
  const templateId = await pushTemplate(client, "stock", template);
  const workspace = await makeWorkspace(client, "stock", templateId, isReady);
  const ours = firstAgent(workspace);
  if (ours === undefined) throw new Error("the workspace has no agent");
  const token = await takeToken(ours.id);

  stock = await runStockAgent(token);
  const ready = await waitForWorkspace(client, workspace.id, (now) => {
    const agent = firstAgent(now);
    return agent !== undefined && isReady(agent) && agent.version !== ours.version;
  });
  expect(firstAgent(ready)?.health).toEqual({ healthy: true });

  const exited = once(stock, "exit");
  stock.kill("SIGINT");
  expect(await exited).toEqual([0, null]);
  const off = await waitForWorkspace(
    client,
    workspace.id,
    (now) => firstAgent(now)?.lifecycle_state === "off",
  );
  expect(firstAgent(off)?.scripts.map((script) => script.status)).toEqual(["ok", "ok"]);
  const logs = await client.call(getAgentLogs, { params: { agent: ours.id } });
  // The first greeting is our own agent's.
  expect(logs.map((log) => log.output)).toEqual(["hello from start", "hello from start", "bye"]);
});

function isReady(agent: WorkspaceAgent): boolean {
  return agent.status === "connected" && agent.lifecycle_state === "ready";
}

/** Ends our own agent, without its stop scripts, and resolves to its token. */
async function takeToken(agentId: string): Promise<string> {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const environment = readEnvironment(pid);
    if (environment.get("SLIPWAY_PROCESS") !== agentId) continue;
    process.kill(Number(pid), "SIGKILL");
    return environment.get("CODER_AGENT_TOKEN") ?? "";
  }
  throw new Error(`no process of agent ${agentId}`);
}

function readEnvironment(pid: string): ReadonlyMap<string, string> {
  try {
    const pairs = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    return new Map(
      pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
    );
  } catch {
    // It has ended, or is another user's.
    return new Map();
  }
}

async function runStockAgent(token: string): Promise<ChildProcess> {
  const home = join(dataDir, "stock-home");
  await mkdir(join(home, "tmp"), { recursive: true });
  return spawn(program, ["agent", "--no-reap"], {
    cwd: home,
    stdio: "ignore",
    env: {
      HOME: home,
      PATH: "/usr/bin:/bin",
      SHELL: "/bin/sh",
      TMPDIR: join(home, "tmp"),
      CODER_AGENT_URL: server.url,
      CODER_AGENT_TOKEN: token,
      CODER_AGENT_PPROF_ADDRESS: "",
      CODER_AGENT_PROMETHEUS_ADDRESS: "",
      CODER_AGENT_DEBUG_ADDRESS: "",
      CODER_AGENT_DEVCONTAINERS_ENABLE: "false",
      CODER_AGENT_SOCKET_SERVER_ENABLED: "false",
    },
  });
}
