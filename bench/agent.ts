import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

import { getAgent } from "@slipway/api/agents/routes";
import { parseProcStat } from "@slipway/runtime";
import { makeWorkspace, pushTemplate, requireAgent, unlimitedWorkspaces } from "@slipway/testkit";

import { defineBenchmark } from "./benchmark.ts";
import { openOurServer } from "./support/our-server.ts";
import { readProcessCost } from "./support/process-cost.ts";

/*
 * The cost of an agent: the memory of an idle agent whose start script is done and which has two metadata items, and
 * the time from its spawn to its connection. The floor is bare Node.js. Linux only.
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

export const benchmark = defineBenchmark({
  title: "Agent",
  measure: async ({ opened, findings }) => {
    const { server, client } = await openOurServer(opened, unlimitedWorkspaces);
    const templateId = await pushTemplate(client, "bench", template);
    const connectMs: number[] = [];
    const pids: number[] = [];
    for (let index = 0; index < agents; index += 1) {
      const workspace = await makeWorkspace(
        client,
        `bench-${index}`,
        templateId,
        (agent) => agent.lifecycle_state === "ready",
      );
      const { id } = requireAgent(workspace);
      const pid = processOf(id);
      const agent = await client.call(getAgent, { params: { agent: id } });
      connectMs.push(Date.parse(agent.first_connected_at ?? "") - startedAtMs(pid));
      pids.push(pid);
    }
    await pause(idleMs);
    const memory = pids.map((pid) => readProcessCost(pid).residentMb);
    findings.note("bare node, memory", "MB", bareNodeMb(), bareNodeMb(), bareNodeMb());
    findings.note("idle agent, memory", "MB", ...memory);
    findings.note("spawn to connection", "ms", ...connectMs);
    findings.note("server, memory", "MB", readProcessCost(server.pid).residentMb);
  },
});

/** Finds the oldest process with the marks of an agent. */
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
  const perSecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
  return bootMs + (ticks * 1000) / perSecond;
}

function bareNodeMb(): number {
  const script = `setTimeout(() => process.stdout.write(require("fs").readFileSync("/proc/self/status")), 500)`;
  const status = execFileSync(process.execPath, ["-e", script], { encoding: "utf8" });
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}
