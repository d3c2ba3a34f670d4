import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { logInAsAdmin, pushTemplate, startServerProcess } from "@slipway/testkit";

import { openEchoService } from "../interop/support/echo-service.ts";
import { makeExternalWorkspace } from "../interop/support/external-workspace.ts";
import { runOurAgent } from "../interop/support/our-agent.ts";
import { runStockAgent } from "../interop/support/run-stock-agent.ts";
import { stockPrograms } from "../interop/support/stock-program.ts";
import { type Measurement, printReport } from "./report.ts";
import {
  echoTimes,
  measureCommand,
  measureEcho,
  measureThroughput,
  type NetworkPath,
  type ReachCommand,
} from "./support/network-commands.ts";
import { readProcessCost } from "./support/process-cost.ts";
import { quantile } from "./support/quantile.ts";

/*
 * The way into a workspace, through the encrypted network of our server: throughput both ways, the time of round trips
 * through a forwarded port, and of a command that does nothing, over the relay and directly, for our command and agent,
 * and for stock ones in each combination where SLIPWAY_STOCK_COMMAND and SLIPWAY_STOCK_AGENT name them. The floor is a
 * TCP connection on this machine. Server, agent and command share the machine.
 *
 *   npm run bench:network [-- --seconds=3] [--echoes=400] [--json]
 */

const template = `
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

function option(name: string, otherwise: number): number {
  return Number(new RegExp(`--${name}=(\\d+)`).exec(process.argv.join(" "))?.[1] ?? otherwise);
}

const seconds = option("seconds", 3);
const echoes = option("echoes", 400);
const commandRuns = 5;
const firstLocalPort = 42_100;
const paths: readonly NetworkPath[] = ["direct", "relay"];

await using opened = new AsyncDisposableStack();
const directory = await mkdtemp(join(tmpdir(), "slipway-bench-"));
opened.defer(() => rm(directory, { recursive: true, force: true }));
const server = await startServerProcess({ dataDir: directory, port: 0 });
opened.defer(() => server.end("SIGINT"));
const client = await logInAsAdmin(server.url);
const templateId = await pushTemplate(client, "network", template);
const echo = opened.use(await openEchoService());
const measurements: Measurement[] = [];

async function openAgent(name: string, program: string | undefined) {
  const { name: workspace, token } = await makeExternalWorkspace(client, templateId, name);
  const place = { serverUrl: server.url, token, home: join(directory, workspace) };
  const agent =
    program === undefined ? await runOurAgent(place) : await runStockAgent({ ...place, program });
  opened.defer(() => void agent.kill("SIGKILL"));
  return { name, workspace, pid: agent.pid ?? 0 };
}

async function openCommand(name: string, words: ReachCommand["words"]): Promise<ReachCommand> {
  const home = join(directory, `command-${name}`);
  await mkdir(home, { recursive: true });
  const environment = {
    PATH: process.env["PATH"],
    HOME: home,
    CODER_CONFIG_DIR: home,
    CODER_URL: server.url,
    CODER_SESSION_TOKEN: client.headers["Coder-Session-Token"],
  };
  return { name, words, environment };
}

function add(name: string, unit: string, runs: readonly number[]): void {
  measurements.push({ name, unit, runs });
}

const floor = connect({ port: echo.port, host: "127.0.0.1", noDelay: true });
await once(floor, "connect");
const floorTimes = await echoTimes(floor, echoes);
floor.destroy();
add("raw TCP: echo, p50", "ms", [quantile(floorTimes, 0.5)]);
add("raw TCP: echo, p99", "ms", [quantile(floorTimes, 0.99)]);

const ours = fileURLToPath(import.meta.resolve("@slipway/cli/program"));
const agents = [await openAgent("ours", undefined)];
for (const { name, path } of stockPrograms("SLIPWAY_STOCK_AGENT")) {
  agents.push(await openAgent(name, path));
}
const commands = [await openCommand("ours", [process.execPath, ours])];
for (const { name, path } of stockPrograms("SLIPWAY_STOCK_COMMAND")) {
  commands.push(await openCommand(name, [path]));
}

let localPort = firstLocalPort;
for (const agent of agents) {
  for (const command of commands) {
    const pair = `${command.name} to ${agent.name}`;
    for (const path of paths) {
      for (const direction of ["down", "up"] as const) {
        const order = { path, direction, seconds };
        const speed = await measureThroughput(command, agent.workspace, order);
        add(`${pair}: ${path}, ${direction}`, "MB/s", [speed]);
      }
      localPort += 1;
      const order = { path, echoPort: echo.port, localPort, count: echoes };
      const times = await measureEcho(command, agent.workspace, order);
      add(`${pair}: ${path}, echo, p50`, "ms", [quantile(times, 0.5)]);
      add(`${pair}: ${path}, echo, p99`, "ms", [quantile(times, 0.99)]);
    }
    const runs: number[] = [];
    while (runs.length < commandRuns) runs.push(await measureCommand(command, agent.workspace));
    add(`${pair}: ssh -- true`, "ms, whole", runs);
  }
  add(`agent ${agent.name}: memory`, "MB", [readProcessCost(agent.pid).residentMb]);
}
add("server: memory", "MB", [readProcessCost(server.pid).residentMb]);
printReport("Network", measurements);
