import { openLaboratory } from "@slipway/testkit/netlab";

import { stockPrograms } from "../interop/support/stock-program.ts";
import { type Measurement, printReport } from "./report.ts";
import { measureThroughput, type NetworkPath } from "./support/network-commands.ts";
import { openNetworkWorldIn } from "./support/network-world.ts";

/*
 * Throughput into a workspace from a machine behind a link of 100 Mbit/s with delay and loss, directly and over the relay: our
 * command with our agent, and the stock pair where SLIPWAY_STOCK_COMMAND and SLIPWAY_STOCK_AGENT name one. A process carries
 * the packets of the link, in namespaces, which takes the rights of root. All share the machine.
 *
 *   npm run bench:lossy-network [-- --rtt=1,20,100] [--loss=0,0.1,1] [--direction=down,up] [--path=direct,relay] [--seconds=4] [--json]
 *
 * Losses are in percent, in each direction.
 */

function listOf(name: string, otherwise: string): readonly string[] {
  const found = new RegExp(`--${name}=(\\S+)`).exec(process.argv.join(" "))?.[1];
  return (found ?? otherwise).split(",");
}

const delays = listOf("rtt", "1,20,100").map(Number);
const losses = listOf("loss", "0,0.1,1").map(Number);
const directions = listOf("direction", "down,up");
const ways = listOf("path", "direct,relay");
const seconds = Number(listOf("seconds", "4")[0]);
const clean = { rttMs: 1, lossRate: 0 };

await using lab = await openLaboratory({
  hosts: { near: {}, far: { impairment: clean } },
});
await using world = await openNetworkWorldIn(lab);
const pairs = [await openPair("ours", undefined, undefined)];
const [stockAgent] = stockPrograms("SLIPWAY_STOCK_AGENT");
const [stockCommand] = stockPrograms("SLIPWAY_STOCK_COMMAND");
if (stockAgent !== undefined && stockCommand !== undefined) {
  pairs.push(await openPair("stock", stockAgent.path, stockCommand.path));
}
const measurements: Measurement[] = [];
for (const rttMs of delays) {
  for (const loss of losses) {
    await lab.host("far").uplink.impair({ rttMs, lossRate: loss / 100 });
    for (const path of ["direct", "relay"] as const) {
      if (ways.includes(path)) await measureWay(path, `${rttMs} ms, ${loss} % lost: ${path}`);
    }
  }
}
printReport("Lossy network", measurements);

async function openPair(name: string, agent: string | undefined, command: string | undefined) {
  return {
    name,
    agent: await world.openAgent(name, agent),
    command: await world.openCommand(name, command),
  };
}

async function measureWay(path: NetworkPath, name: string): Promise<void> {
  for (const direction of ["down", "up"] as const) {
    if (!directions.includes(direction)) continue;
    for (const { name: pair, agent, command } of pairs) {
      const order = { path, direction, seconds };
      const speed = await measureThroughput(command, agent.workspace, order);
      measurements.push({ name: `${name}, ${direction}, ${pair}`, unit: "MB/s", runs: [speed] });
    }
  }
}
