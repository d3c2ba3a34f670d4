import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { logInAsAdmin, startServerProcess } from "@slipway/testkit";

import { printReport } from "./report.ts";
import { makeFleet } from "./support/external-fleet.ts";
import { readProcessCost } from "./support/process-cost.ts";

/*
 * What idle agents cost the server, each with two metadata items every 10 s: memory, processor, and how long a metadata
 * call takes. Also how long it takes to make that many workspaces, and until all agents are connected to a server that has
 * just started. The server's database is not counted.
 *
 *   npm run bench:idle-agents [-- --agents=1000] [--json]
 */

const count = Number(/--agents=(\d+)/.exec(process.argv.join(" "))?.[1] ?? 1000);
const seconds = 40;

const dataDir = await mkdtemp(join(tmpdir(), "slipway-bench-"));
let server = await startServerProcess({ dataDir, port: 0 });
try {
  const client = await logInAsAdmin(server.url);
  const makingStarted = performance.now();
  const agents = await makeFleet(client, count);
  const makingSeconds = (performance.now() - makingStarted) / 1000;

  // A fresh server: what the making of workspaces left behind is no agent's.
  await server.end("SIGINT");
  server = await startServerProcess({ dataDir, port: 0 });
  const before = readProcessCost(server.pid);
  const fleet = spawn(
    process.execPath,
    [
      "--conditions=@slipway/source",
      fileURLToPath(new URL("support/idle-fleet.ts", import.meta.url)),
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const lines = createInterface(fleet.stdout)[Symbol.asyncIterator]();
  const order = { serverUrl: server.url, tokens: agents.map(({ token }) => token), seconds };
  fleet.stdin.end(JSON.stringify(order));
  const connectStarted = performance.now();
  await lines.next();
  const connectSeconds = (performance.now() - connectStarted) / 1000;
  const connected = readProcessCost(server.pid);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- printed by the fleet
  const latencies = JSON.parse(String((await lines.next()).value)) as number[];
  const after = readProcessCost(server.pid);
  await once(fleet, "exit");

  const sorted = latencies.toSorted((a, b) => a - b);
  const quantile = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  printReport(`${count} idle agents`, [
    { name: "workspaces made and running", unit: "s", runs: [makingSeconds] },
    { name: "all connected", unit: "s", runs: [connectSeconds] },
    {
      name: "memory an agent",
      unit: "KB",
      runs: [((after.residentMb - before.residentMb) * 1024) / count],
    },
    {
      name: "processor",
      unit: "cores",
      runs: [(after.cpuSeconds - connected.cpuSeconds) / seconds],
    },
    { name: "metadata call, p50", unit: "ms", runs: [quantile(0.5)] },
    { name: "metadata call, p99", unit: "ms", runs: [quantile(0.99)] },
  ]);
} finally {
  await server.end("SIGINT");
  await rm(dataDir, { recursive: true, force: true });
}
