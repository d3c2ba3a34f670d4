import { defineBenchmark } from "./benchmark.ts";
import { quantile } from "./report.ts";
import type { IdleFleet } from "./support/idle-fleet.ts";
import { type IdleServer, openIdleServers } from "./support/idle-server.ts";
import { openPart } from "./support/part.ts";
import { readProcessCost } from "./support/process-cost.ts";

/*
 * The cost of idle agents to a server, each with two metadata items every 10 s: memory and processor time of its
 * process without the database, and the time of a metadata call. Memory is the size of the process (VmRSS) after the
 * metadata has arrived for 40 s, garbage included because no collection is forced, minus the size when a tenth as
 * many agents had done the same for 20 s: leftovers of the start and of code that runs for the first time do not
 * count. Then the server is restarted: the time from its exit until all agents are back, and its peak memory (VmHWM).
 * The reference is `ws` alone, which sends back as many messages on as many sockets. The agents share the machine.
 *
 *   npm run bench:idle-agents [-- --agents=1000] [--runs=1] [--json]
 *
 * A stock server takes part when the environment names one; see support/stock-server.ts and support/idle-server.ts.
 * It is restarted before each run if the environment names a restart program; otherwise the first run finds it as it
 * is.
 */

const seconds = 40;
const warmUpSeconds = 20;

/** The measurements' names with their units; measurements of one unit are comparable. */
const units = {
  "all connected": "s",
  "memory an agent": "KB",
  processor: "cores",
  "metadata call, p50": "ms, p50",
  "metadata call, p99": "ms, p99",
  "all back after a restart": "s, restart",
  "peak memory after a restart": "MB",
} as const;
type Figures = Partial<Record<keyof typeof units, number>>;

export const benchmark = defineBenchmark({
  title: ({ agents }) => `${agents} idle agents`,
  options: { agents: 1_000, runs: 1 },
  measure: async ({ options: { agents, runs }, opened, findings }) => {
    // The warm-up agents stay connected.
    const warmUp = Math.ceil(agents / 10);
    const servers = await openIdleServers(opened, agents + warmUp);
    const found = servers.map((server) => ({ server, runs: [] as Figures[] }));
    for (let run = 0; run < runs; run += 1) {
      for (const { server, runs: figures } of found) figures.push(await measure(server, warmUp));
    }
    for (const [name, unit] of Object.entries(units)) {
      for (const { server, runs: figures } of found) {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a key of the object above
        const values = figures.flatMap((one) => one[name as keyof Figures] ?? []);
        if (values.length > 0) findings.note(`${server.name}: ${name}`, unit, ...values);
      }
    }
  },
});

async function measure(server: IdleServer, warmUpCount: number): Promise<Figures> {
  const { kind, url, tokens } = server;
  await server.restart?.();
  await using opened = new AsyncDisposableStack();
  const warmUp = openPart<IdleFleet>(opened, "./idle-fleet.ts");
  await warmUp.call("connect", { kind, url, tokens: tokens.slice(0, warmUpCount) });
  await warmUp.call("measure", warmUpSeconds);
  const before = readProcessCost(server.pid());
  const fleet = openPart<IdleFleet>(opened, "./idle-fleet.ts");
  const rest = tokens.slice(warmUpCount);
  const allConnected = await secondsOf(fleet.call("connect", { kind, url, tokens: rest }));
  const connected = readProcessCost(server.pid());
  const latencies = await fleet.call("measure", seconds);
  const after = readProcessCost(server.pid());
  const figures = {
    "all connected": allConnected,
    "memory an agent": ((after.residentMb - before.residentMb) * 1024) / rest.length,
    processor: (after.cpuSeconds - connected.cpuSeconds) / seconds,
    "metadata call, p50": quantile(latencies, 0.5),
    "metadata call, p99": quantile(latencies, 0.99),
  };
  if (server.restart === undefined) return figures;
  const back = [fleet.call("reconnected"), warmUp.call("reconnected"), server.restart()];
  const allBack = await secondsOf(Promise.all(back));
  const { peakMb } = readProcessCost(server.pid());
  return { ...figures, "all back after a restart": allBack, "peak memory after a restart": peakMb };
}

async function secondsOf(work: Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work;
  return (performance.now() - started) / 1000;
}
