import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { getAgent } from "@slipway/api/agents/routes";
import { parseProcStat } from "@slipway/runtime";
import {
  firstAgent,
  logInAsAdmin,
  makeWorkspace,
  pushTemplate,
  startServerProcess,
  unlimitedWorkspaces,
} from "@slipway/testkit";

import { type Measurement, printReport } from "./report.ts";
import { readProcessCost } from "./support/process-cost.ts";

/*
 * The cost of an agent: memory of an idle one, with a start script done and two metadata items, and the time from its
 * spawn to its connection. Bare Node.js is the floor. Linux only.
 *
 *   npm run bench:agent [-- --json]
 */

const agents = 5;
const idleMs = 10_000;

const template = `
driver: process
agents:
  main:
    os: linux
    arch: amd64
    directory: "~"
    scripts:
      hello: { run_on: [start], run: echo hello }
    metadata:
      a: { display_name: A, interval: 10s, timeout: 5s, run: echo 1 }
      b: { display_name: B, interval: 10s, timeout: 5s, run: echo 2 }
`;

/** Finds the process that carries the marks of an agent and was started first. */
function processOf(agentId: string): number {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const marked = pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "utf8").includes(`SLIPWAY_PROCESS=${agentId}`);
    } catch {
      return false;
    }
  });
  return Math.min(...marked.map(Number));
}

/**
 * Returns the start time of a process, in milliseconds since the epoch; the system counts in hundredths of a second.
 */
function startedAtMs(pid: number): number {
  const ticks = Number(parseProcStat(readFileSync(`/proc/${pid}/stat`, "utf8"))?.start);
  const bootMs = Date.now() - Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 1000;
  return (
    bootMs + (ticks * 1000) / Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }))
  );
}

function bareNodeMb(): number {
  const script = `setTimeout(() => process.stdout.write(require("fs").readFileSync("/proc/self/status")), 500)`;
  const status = execFileSync(process.execPath, ["-e", script], { encoding: "utf8" });
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

const dataDir = await mkdtemp(join(tmpdir(), "slipway-bench-"));
const server = await startServerProcess({ dataDir, port: 0, environment: unlimitedWorkspaces });
const measurements: Measurement[] = [];
try {
  const client = await logInAsAdmin(server.url);
  const templateId = await pushTemplate(client, "bench", template);
  const memory: number[] = [];
  const connect: number[] = [];
  const pids: number[] = [];
  for (let index = 0; index < agents; index += 1) {
    const workspace = await makeWorkspace(
      client,
      `bench-${index}`,
      templateId,
      (agent) => agent.lifecycle_state === "ready",
    );
    const agentId = firstAgent(workspace)?.id ?? "";
    const pid = processOf(agentId);
    const agent = await client.call(getAgent, { params: { agent: agentId } });
    connect.push(Date.parse(agent.first_connected_at ?? "") - startedAtMs(pid));
    pids.push(pid);
  }
  await pause(idleMs);
  for (const pid of pids) memory.push(readProcessCost(pid).residentMb);
  measurements.push(
    { name: "bare node, memory", unit: "MB", runs: [bareNodeMb(), bareNodeMb(), bareNodeMb()] },
    { name: "idle agent, memory", unit: "MB", runs: memory },
    { name: "spawn to connection", unit: "ms", runs: connect },
    { name: "server, memory", unit: "MB", runs: [readProcessCost(server.pid).residentMb] },
  );
} finally {
  await server.end("SIGINT");
  await rm(dataDir, { recursive: true, force: true });
}
printReport("Agent", measurements);
