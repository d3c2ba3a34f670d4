import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { startServerProcess } from "@slipway/testkit";

import { limitsTable, metricsTable, settingsTable, withTable } from "./document-tables.ts";

/* Writes the tables of settings, limits and metrics into the guides; the metrics are those that a server reports. */

const configuration = "docs/configuration.md";
const metrics = "docs/metrics.md";

await rewrite(configuration, "settings", await settingsTable());
await rewrite(configuration, "limits", limitsTable());
await rewrite(metrics, "metrics", metricsTable(await readMetrics()));
await promisify(execFile)("oxfmt", [configuration, metrics]);

async function rewrite(file: string, name: string, table: string): Promise<void> {
  await writeFile(file, withTable(await readFile(file, "utf8"), name, table));
}

async function readMetrics(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-metrics-"));
  try {
    await using server = await startServerProcess({ dataDir, port: 0 });
    return await (await fetch(`${server.url}/metrics`)).text();
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
