import { type Measurement, printReport } from "./report.ts";
import { openBareLogTable } from "./support/bare-log-table.ts";
import { openBenchServers } from "./support/bench-servers.ts";

/*
 * The time to make many workspaces, eight at a time, each until its build reports that it runs: of the driver
 * `external` here, of the template's own provisioner on a stock server. The reference is as many rows, each with a
 * statement of its own, by eight connections.
 *
 *   npm run bench:workspaces [-- --count=1000] [--json]
 *
 * A stock server takes part when the environment names one; see support/stock-server.ts.
 */

const count = Number(/--count=(\d+)/.exec(process.argv.join(" "))?.[1] ?? 1000);
const atOnce = 8;

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

await using opened = new AsyncDisposableStack();
const bare = await openBareLogTable(opened);
const servers = await openBenchServers(opened);
const inserts = await seconds(() => bare.insert(atOnce, ["a row"], Math.ceil(count / atOnce)));
const measurements: Measurement[] = [{ name: "bare inserts", unit: "s", runs: [inserts] }];
for (const { name, makeWorkspaces } of servers) {
  measurements.push({ name, unit: "s", runs: [await seconds(() => makeWorkspaces(count))] });
}
printReport(`${count} workspaces made and running`, measurements);
