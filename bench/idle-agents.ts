import { printReport } from "./report.ts";
import { findStock, type IdleServer, openBareEcho, openOurs } from "./support/idle-server.ts";
import { openIdleFleet } from "./support/open-idle-fleet.ts";
import { readProcessCost } from "./support/process-cost.ts";
import { quantile } from "./support/quantile.ts";

/*
 * The cost of idle agents to a server, each with two metadata items every 10 s: memory and processor of its process
 * without the database, and the time of a metadata call. Memory is the size of the process (VmRSS) after the metadata
 * has come for 40 s, garbage included, as no collection is forced, less what it held when a tenth as many agents had
 * done the same for 20 s: leftovers of its start, and code that runs for the first time, do not count. Then the
 * server is restarted: the time from its end until all agents are back, and the most memory it held (VmHWM). The
 * reference is `ws` alone, which sends back as many messages on as many sockets. The agents share the machine.
 *
 *   npm run bench:idle-agents [-- --agents=1000] [--runs=1] [--json]
 *
 * A stock server takes part when the environment names one; see support/stock-server.ts and support/idle-server.ts. It is
 * restarted before each run if the environment says how; otherwise the first run finds it as it is.
 */

const seconds = 40;
const warmUpSeconds = 20;

function option(name: string, otherwise: number): number {
  return Number(new RegExp(`--${name}=(\\d+)`).exec(process.argv.join(" "))?.[1] ?? otherwise);
}

const count = option("agents", 1000);
/** The number of agents that come first, and stay. */
const warmUpCount = Math.ceil(count / 10);
const runs = option("runs", 1);

/** Names of the measurements, with their units; the unit makes those of one name comparable. */
const units = {
  "all connected": "s",
  "memory an agent": "KB",
  processor: "cores",
  "metadata call, p50": "ms, p50",
  "metadata call, p99": "ms, p99",
  "all back after a restart": "s, restart",
  "peak memory after a restart": "MB",
} as const;
type Name = keyof typeof units;
type Found = Partial<Record<Name, number>>;

async function measure(server: IdleServer): Promise<Found> {
  const { kind, url, tokens } = server;
  await server.restart?.();
  const first = { kind, url, tokens: tokens.slice(0, warmUpCount), seconds: warmUpSeconds };
  await using warmUp = openIdleFleet(first);
  await warmUp.connect();
  await warmUp.measure();
  const before = readProcessCost(server.pid());
  await using fleet = openIdleFleet({ kind, url, tokens: tokens.slice(warmUpCount), seconds });
  const allConnected = await secondsOf(fleet.connect());
  const connected = readProcessCost(server.pid());
  const latencies = await fleet.measure();
  const after = readProcessCost(server.pid());
  return {
    "all connected": allConnected,
    "memory an agent": ((after.residentMb - before.residentMb) * 1024) / count,
    processor: (after.cpuSeconds - connected.cpuSeconds) / seconds,
    "metadata call, p50": quantile(latencies, 0.5),
    "metadata call, p99": quantile(latencies, 0.99),
    ...(server.restart === undefined
      ? {}
      : {
          "all back after a restart": await secondsOf(
            Promise.all([fleet.reconnected(), warmUp.reconnected(), server.restart()]),
          ),
          "peak memory after a restart": readProcessCost(server.pid()).peakMb,
        }),
  };
}

async function secondsOf(work: Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work;
  return (performance.now() - started) / 1000;
}

await using opened = new AsyncDisposableStack();
const stock = await findStock(count + warmUpCount);
const servers = [
  await openBareEcho(opened, count + warmUpCount),
  await openOurs(opened, count + warmUpCount),
  ...(stock === undefined ? [] : [stock]),
];
const found = new Map(servers.map(({ name }) => [name, [] as Found[]]));
for (let run = 0; run < runs; run += 1) {
  for (const server of servers) found.get(server.name)?.push(await measure(server));
}
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of the object above
const names = Object.keys(units) as Name[];
const measurements = names.flatMap((name) =>
  servers.map((server) => ({
    name: `${server.name}: ${name}`,
    unit: units[name],
    runs: (found.get(server.name) ?? []).flatMap((one) => one[name] ?? []),
  })),
);
printReport(
  `${count} idle agents`,
  measurements.filter((measurement) => measurement.runs.length > 0),
);
