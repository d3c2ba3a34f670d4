import { once } from "node:events";
import { connect } from "node:net";

import { openEchoService } from "../interop/support/echo-service.ts";
import { stockPrograms } from "../interop/support/stock-program.ts";
import { type Measurement, printReport } from "./report.ts";
import {
  echoTimes,
  measureCommand,
  measureEcho,
  measureThroughput,
  type NetworkPath,
} from "./support/network-commands.ts";
import { openNetworkWorld } from "./support/network-world.ts";
import { readProcessCost } from "./support/process-cost.ts";
import { quantile } from "./support/quantile.ts";

/*
 * The way into a workspace, through the encrypted network of our server: throughput both ways, the time of round trips
 * through a forwarded port, and of a command that does nothing, over the relay and directly, for our command and agent,
 * and for stock ones in each combination where SLIPWAY_STOCK_COMMAND and SLIPWAY_STOCK_AGENT name them. The floor is a
 * TCP connection on this machine. Server, agent and command share the machine.
 *
 *   npm run bench:network [-- --seconds=3] [--echoes=4000] [--json]
 */

function option(name: string, otherwise: number): number {
  return Number(new RegExp(`--${name}=(\\d+)`).exec(process.argv.join(" "))?.[1] ?? otherwise);
}

const seconds = option("seconds", 3);
const echoes = option("echoes", 4_000);
const commandRuns = 5;
const firstLocalPort = 42_100;
const paths: readonly NetworkPath[] = ["direct", "relay"];

await using opened = new AsyncDisposableStack();
const world = opened.use(await openNetworkWorld());
const echo = opened.use(await openEchoService());
const measurements: Measurement[] = [];

function add(name: string, unit: string, runs: readonly number[]): void {
  measurements.push({ name, unit, runs });
}

const floor = connect({ port: echo.port, host: "127.0.0.1", noDelay: true });
await once(floor, "connect");
const floorTimes = await echoTimes(floor, echoes);
floor.destroy();
add("raw TCP: echo, p50", "ms", [quantile(floorTimes, 0.5)]);
add("raw TCP: echo, p99", "ms", [quantile(floorTimes, 0.99)]);

const agents = [await world.openAgent("ours", undefined)];
for (const { name, path } of stockPrograms("SLIPWAY_STOCK_AGENT")) {
  agents.push(await world.openAgent(name, path));
}
const commands = [await world.openCommand("ours", undefined)];
for (const { name, path } of stockPrograms("SLIPWAY_STOCK_COMMAND")) {
  commands.push(await world.openCommand(name, path));
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
add("server: memory", "MB", [readProcessCost(world.server.pid).residentMb]);
printReport("Network", measurements);
