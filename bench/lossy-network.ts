import { openLaboratory } from "@slipway/testkit/netlab";

import { stockPrograms } from "../interop/support/stock-program.ts";
import { type Measurement, printReport } from "./report.ts";
import type { NetworkPath } from "./support/network-commands.ts";
import { openNetworkWorldIn } from "./support/network-world.ts";
import { forwardPort, type ForwardedPort, TransferMeter } from "./support/transfers.ts";

/*
 * Throughput into a workspace from a machine behind a link of 100 Mbit/s with delay and loss, directly and over the relay: our
 * command with our agent, and the stock pair where SLIPWAY_STOCK_COMMAND and SLIPWAY_STOCK_AGENT name one. Bytes are counted
 * where they arrive, through forwarded ports: the commands' own tests of an upload count what they have handed over. A process
 * carries the packets of the link, in namespaces, which takes the rights of root. All share the machine.
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
const paths = (["direct", "relay"] as const).filter((path) =>
  listOf("path", "direct,relay").includes(path),
);
const seconds = Number(listOf("seconds", "4")[0]);
const clean = { rttMs: 1, lossRate: 0 };
const servicePort = 7_000;
let nextPort = 4_000;

await using lab = await openLaboratory({
  hosts: { near: {}, far: { impairment: clean } },
});
await using world = await openNetworkWorldIn(lab);
const [near, far] = [lab.host("near").namespace, lab.host("far").namespace];
await using meter = await TransferMeter.open(near, far, servicePort);
await using opened = new AsyncDisposableStack();
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
    for (const path of paths) await measurePath(path, `${rttMs} ms, ${loss} % lost: ${path}`);
  }
}
printReport("Lossy network", measurements);

interface Pair {
  readonly name: string;
  readonly ports: ReadonlyMap<NetworkPath, ForwardedPort>;
}

async function openPair(
  name: string,
  agentProgram: string | undefined,
  program: string | undefined,
): Promise<Pair> {
  const agent = await world.openAgent(name, agentProgram);
  const command = await world.openCommand(name, program);
  const ports = new Map<NetworkPath, ForwardedPort>();
  for (const path of paths) {
    const order = { path, port: (nextPort += 1), servicePort };
    ports.set(path, opened.use(await forwardPort(command, agent.workspace, order)));
  }
  return { name, ports };
}

async function measurePath(path: NetworkPath, name: string): Promise<void> {
  for (const direction of ["down", "up"] as const) {
    if (!directions.includes(direction)) continue;
    for (const { name: pair, ports } of pairs) {
      const port = ports.get(path);
      if (port === undefined) continue;
      const speed = await meter.measure(port, { direction, seconds });
      measurements.push({ name: `${name}, ${direction}, ${pair}`, unit: "MB/s", runs: [speed] });
    }
  }
}
