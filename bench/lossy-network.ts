import { openLaboratory } from "@slipway/testkit/netlab";

import { stockPrograms } from "../interop/support/stock-program.ts";
import { defineBenchmark } from "./benchmark.ts";
import { forwardPort, type NetworkPath } from "./support/network-commands.ts";
import { openNetworkWorldIn } from "./support/network-world.ts";
import { TransferMeter } from "./support/transfers.ts";

/*
 * Throughput into a workspace from a machine behind a 100 Mbit/s link with delay and loss, directly and over the
 * relay: our command with our agent, and the stock pair if SLIPWAY_STOCK_COMMAND and SLIPWAY_STOCK_AGENT name one.
 * Bytes are counted where they arrive, through forwarded ports: the commands' own upload tests count the bytes that
 * they have sent. A process carries the packets of the link, in namespaces, which requires root. All share the
 * machine.
 *
 *   npm run bench:lossy-network [-- --rtt=1,20,100] [--loss=0,0.1,1] [--direction=down,up] [--path=direct,relay] [--seconds=4] [--json]
 *
 * Losses are in percent, in each direction.
 */

const clean = { rttMs: 1, lossRate: 0 };
const servicePort = 7_000;
const firstPort = 4_001;

/** The forwarded ports of a command, by the path to its agent. */
interface Pair {
  readonly name: string;
  readonly ports: ReadonlyMap<NetworkPath, number>;
}

export const benchmark = defineBenchmark({
  title: "Lossy network",
  options: {
    rtt: "1,20,100",
    loss: "0,0.1,1",
    direction: "down,up",
    path: "direct,relay",
    seconds: 4,
  },
  measure: async ({ options, opened, findings }) => {
    const { seconds } = options;
    const paths = (["direct", "relay"] as const).filter((path) => chosen(options.path, path));
    const directions = (["down", "up"] as const).filter((one) => chosen(options.direction, one));
    const hosts = { near: {}, far: { impairment: clean } };
    const lab = opened.use(await openLaboratory({ hosts }));
    const world = await openNetworkWorldIn(opened, lab);
    const [near, far] = [lab.host("near").namespace, lab.host("far").namespace];
    const meter = opened.use(await TransferMeter.open(near, far, servicePort));

    const pairs: Pair[] = [];
    for (const [name, agentProgram, program] of programs()) {
      const agent = await world.openAgent(name, agentProgram);
      const command = await world.openCommand(name, program);
      const ports = new Map<NetworkPath, number>();
      for (const path of paths) {
        const from = firstPort + pairs.length * 2 + ports.size;
        const order = { path, from, to: servicePort };
        opened.use(await forwardPort(command, agent.workspace, order));
        ports.set(path, from);
      }
      pairs.push({ name, ports });
    }

    for (const rttMs of options.rtt.split(",").map(Number)) {
      for (const loss of options.loss.split(",").map(Number)) {
        await lab.host("far").uplink.impair({ rttMs, lossRate: loss / 100 });
        for (const path of paths) {
          for (const direction of directions) {
            for (const { name, ports } of pairs) {
              const port = ports.get(path);
              if (port === undefined) continue;
              const speed = await meter.measure(port, { direction, seconds });
              const link = `${rttMs} ms, ${loss} % lost: ${path}`;
              findings.note(`${link}, ${direction}, ${name}`, "MB/s", speed);
            }
          }
        }
      }
    }
  },
});

/** Returns our pair of agent and command, and the stock pair that the environment names. */
function programs(): readonly (readonly [string, string | undefined, string | undefined])[] {
  const [agent] = stockPrograms("SLIPWAY_STOCK_AGENT");
  const [command] = stockPrograms("SLIPWAY_STOCK_COMMAND");
  const isStock = agent !== undefined && command !== undefined;
  const stock = isStock ? [["stock", agent.path, command.path] as const] : [];
  return [["ours", undefined, undefined], ...stock];
}

function chosen(list: string, item: string): boolean {
  return list.split(",").includes(item);
}
