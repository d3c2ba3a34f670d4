import type { Benchmark } from "./benchmark.ts";

/*
 * Runs a benchmark and prints its figures: as a table, or with `--json` as one JSON object.
 *
 *   npm run bench:<name> [-- --<option>=<value>]... [--json]
 */

const benchmarks: Readonly<Record<string, () => Promise<{ readonly benchmark: Benchmark }>>> = {
  access: () => import("./access.ts"),
  agent: () => import("./agent.ts"),
  apps: () => import("./apps.ts"),
  "busy-network": () => import("./busy-network.ts"),
  claims: () => import("./claims.ts"),
  dashboard: () => import("./dashboard.ts"),
  docker: () => import("./docker.ts"),
  files: () => import("./files.ts"),
  "follow-logs": () => import("./follow-logs.ts"),
  "idle-agents": () => import("./idle-agents.ts"),
  infrastructure: () => import("./infrastructure.ts"),
  "log-lines": () => import("./log-lines.ts"),
  "lossy-network": () => import("./lossy-network.ts"),
  mcp: () => import("./mcp.ts"),
  network: () => import("./network.ts"),
  "network-stack": () => import("./network-stack.ts"),
  "read-api": () => import("./read-api.ts"),
  relay: () => import("./relay.ts"),
  replicas: () => import("./replicas.ts"),
  runs: () => import("./runs.ts"),
  scale: () => import("./scale.ts"),
  "start-up": () => import("./start-up.ts"),
  tunnel: () => import("./tunnel.ts"),
  watchers: () => import("./watchers.ts"),
  workspaces: () => import("./workspaces.ts"),
};

const [name = "", ...args] = process.argv.slice(2);
const load = benchmarks[name];
if (load === undefined) {
  const names = Object.keys(benchmarks).join(", ");
  process.stderr.write(`unknown benchmark ${JSON.stringify(name)}, wanted one of ${names}\n`);
  process.exitCode = 2;
} else {
  const { benchmark } = await load();
  await benchmark(args);
}
