import { spawnSync } from "node:child_process";

import { startServerProcess } from "@slipway/testkit";

import { defineBenchmark } from "./benchmark.ts";
import { noteCommandStarts } from "./support/command-starts.ts";
import { openDirectory } from "./support/our-server.ts";

/*
 * The time from a server's spawn until it reports that it runs, embedded database included; with the demonstration,
 * until its workspace is ready. Cold: an empty data directory. Warm: a used one. After a kill: its database still
 * runs. The floor is a bare Node.js that does nothing. Then whole calls of the command, as npm installs it, beside the
 * stock pair that SLIPWAY_STOCK_COMMAND and SLIPWAY_STOCK_AGENT name, and the commands of SLIPWAY_INSTALLED_COMMAND, such
 * as one of `install.sh`.
 *
 *   npm run bench:start-up [-- --commands-only] [--json]
 *
 * Exits with 1 when a cold start takes more than 3 s, or a warm one more than 1 s.
 */

const runs = 5;

export const benchmark = defineBenchmark({
  title: "Start-up",
  options: { "commands-only": false },
  measure: async ({ options, findings, opened: openedForAll }) => {
    const note = async (name: string, measure: () => Promise<number> | number): Promise<void> => {
      for (let run = 0; run < runs; run += 1) findings.note(name, "ms", await measure());
    };
    const noteCold = (name: string, demo: boolean): Promise<void> =>
      note(name, async () => {
        await using opened = new AsyncDisposableStack();
        return await startMs(await openDirectory(opened), demo, "SIGINT");
      });
    const noteWarm = async (name: string, demo: boolean, end: NodeJS.Signals): Promise<void> => {
      await using opened = new AsyncDisposableStack();
      const dataDir = await openDirectory(opened);
      await startMs(dataDir, demo, end);
      await note(name, () => startMs(dataDir, demo, end));
      await startMs(dataDir, demo, "SIGINT");
    };
    await note("bare node", bareNodeMs);
    await noteCommandStarts(openedForAll, findings);
    if (options["commands-only"]) return;
    await noteCold("server, cold", false);
    await noteWarm("server, warm", false, "SIGINT");
    await noteWarm("server, after kill -9", false, "SIGKILL");
    await noteCold("demonstration, cold", true);
    await noteWarm("demonstration, warm", true, "SIGINT");
    findings.require(findings.median("server, cold") <= 3_000);
    findings.require(findings.median("server, warm") <= 1_000);
  },
});

async function startMs(dataDir: string, demo: boolean, end: NodeJS.Signals): Promise<number> {
  const server = await startServerProcess({ dataDir, port: 0, demo });
  await server.end(end);
  return server.startMs;
}

function bareNodeMs(): number {
  const started = performance.now();
  spawnSync(process.execPath, ["-e", ""]);
  return performance.now() - started;
}
