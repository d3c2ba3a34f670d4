import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startServerProcess } from "@slipway/testkit";

import { type Measurement, printReport, summarize } from "./report.ts";

/*
 * The time that a server takes from its spawn until it reports that it runs, embedded database included; with the
 * demonstration until its workspace is ready. Cold: an empty data directory. Warm: one that was used before. After a
 * kill: its database still runs. A bare Node.js that does nothing is the floor.
 *
 *   npm run bench:start-up [-- --json]
 */

const runs = 5;

async function withDirectory<T>(use: (dataDir: string) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-bench-"));
  try {
    return await use(dataDir);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function startMs(dataDir: string, demo: boolean, end: NodeJS.Signals): Promise<number> {
  const server = await startServerProcess({ dataDir, port: 0, demo });
  await server.end(end);
  return server.startMs;
}

async function times(count: number, measure: () => Promise<number>): Promise<number[]> {
  const results: number[] = [];
  while (results.length < count) results.push(await measure());
  return results;
}

function bareNodeMs(): number {
  const started = performance.now();
  spawnSync(process.execPath, ["-e", ""]);
  return performance.now() - started;
}

const cold = (demo: boolean): Promise<number[]> =>
  times(runs, () => withDirectory((dataDir) => startMs(dataDir, demo, "SIGINT")));

const warm = (demo: boolean, end: NodeJS.Signals): Promise<number[]> =>
  withDirectory(async (dataDir) => {
    await startMs(dataDir, demo, end);
    const results = await times(runs, () => startMs(dataDir, demo, end));
    await startMs(dataDir, demo, "SIGINT");
    return results;
  });

const measurements: Measurement[] = [
  { name: "bare node", unit: "ms", runs: await times(runs, async () => bareNodeMs()) },
  { name: "server, cold", unit: "ms", runs: await cold(false) },
  { name: "server, warm", unit: "ms", runs: await warm(false, "SIGINT") },
  { name: "server, after kill -9", unit: "ms", runs: await warm(false, "SIGKILL") },
  { name: "demonstration, cold", unit: "ms", runs: await cold(true) },
  { name: "demonstration, warm", unit: "ms", runs: await warm(true, "SIGINT") },
];
printReport("Start-up", measurements);

/** The project's targets, in milliseconds. */
const targets: Readonly<Record<string, number>> = { "server, cold": 3000, "server, warm": 1000 };
for (const { name, median } of summarize(measurements)) {
  const target = targets[name];
  if (target !== undefined && median > target) process.exitCode = 1;
}
