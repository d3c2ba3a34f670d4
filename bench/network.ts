import { once } from "node:events";
import { connect } from "node:net";

import { openEchoService } from "../interop/support/echo-service.ts";
import { stockPrograms } from "../interop/support/stock-program.ts";
import { defineBenchmark } from "./benchmark.ts";
import {
  echoTimes,
  measureCommand,
  measureEcho,
  measureThroughput,
} from "./support/network-commands.ts";
import { openNetworkWorld } from "./support/network-world.ts";
import { readProcessCost } from "./support/process-cost.ts";

/*
 * The way into a workspace through our server's encrypted network: throughput in both directions, the time of round
 * trips through a forwarded port, and of a command that does nothing, over the relay and directly, for our command
 * and agent, and for each combination with the stock ones that SLIPWAY_STOCK_COMMAND and SLIPWAY_STOCK_AGENT name.
 * The floor is a TCP connection on this machine. Server, agent and command share the machine.
 *
 *   npm run bench:network [-- --seconds=3] [--echoes=4000] [--json]
 */

const commandRuns = 5;
const firstLocalPort = 42_100;
const paths = ["direct", "relay"] as const;
const sameUnit = ["ms", "ms"] as const;

export const benchmark = defineBenchmark({
  title: "Network",
  options: { seconds: 3, echoes: 4_000 },
  measure: async ({ options: { seconds, echoes }, opened, findings }) => {
    const world = await openNetworkWorld(opened);
    const echo = opened.use(await openEchoService());
    const floor = connect({ port: echo.port, host: "127.0.0.1", noDelay: true });
    await once(floor, "connect");
    findings.noteTimes("raw TCP: echo", await echoTimes(floor, echoes), sameUnit);
    floor.destroy();

    const ours = { name: "ours", path: undefined };
    const agents = [];
    for (const { name, path } of [ours, ...stockPrograms("SLIPWAY_STOCK_AGENT")]) {
      agents.push(await world.openAgent(name, path));
    }
    const commands = [];
    for (const { name, path } of [ours, ...stockPrograms("SLIPWAY_STOCK_COMMAND")]) {
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
            findings.note(`${pair}: ${path}, ${direction}`, "MB/s", speed);
          }
          localPort += 1;
          const order = { path, echoPort: echo.port, localPort, count: echoes };
          const times = await measureEcho(command, agent.workspace, order);
          findings.noteTimes(`${pair}: ${path}, echo`, times, sameUnit);
        }
        for (let run = 0; run < commandRuns; run += 1) {
          const tookMs = await measureCommand(command, agent.workspace);
          findings.note(`${pair}: ssh -- true`, "ms, whole", tookMs);
        }
      }
      findings.note(`agent ${agent.name}: memory`, "MB", readProcessCost(agent.pid).residentMb);
    }
    findings.note("server: memory", "MB", readProcessCost(world.server.pid).residentMb);
  },
});
