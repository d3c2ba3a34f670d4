import { defineBenchmark } from "./benchmark.ts";
import { openBareLogTable } from "./support/bare-log-table.ts";
import { openBenchServers } from "./support/bench-servers.ts";

/*
 * The time to create many workspaces, eight at a time, each until its build reports that it runs: with the driver
 * `external` here, with the template's provisioner on a stock server. The reference is as many rows, each with a
 * separate statement, over eight connections.
 *
 *   npm run bench:workspaces [-- --count=1000] [--json]
 *
 * A stock server takes part when the environment names one; see support/stock-server.ts.
 */

const atOnce = 8;

export const benchmark = defineBenchmark({
  title: ({ count }) => `${count} workspaces made and running`,
  options: { count: 1_000 },
  measure: async ({ options: { count }, opened, findings }) => {
    const note = async (name: string, work: () => Promise<unknown>): Promise<void> => {
      const started = performance.now();
      await work();
      findings.note(name, "s", (performance.now() - started) / 1000);
    };
    const bare = await openBareLogTable(opened);
    const servers = await openBenchServers(opened);
    const rows = Math.ceil(count / atOnce);
    await note("bare inserts", () => bare.insert(atOnce, ["a row"], rows));
    for (const { name, makeWorkspaces } of servers) await note(name, () => makeWorkspaces(count));
  },
});
