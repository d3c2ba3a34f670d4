import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { silentLogger, systemClock } from "@slipway/runtime";
import { openEmbeddedPostgres } from "@slipway/server";
import { logInAsAdmin, startServerProcess } from "@slipway/testkit";
import { Agent, encodeUuid, Log_Level, timestampFromNs } from "@slipway/wire";
import pg from "pg";

import { type Measurement, printReport } from "./report.ts";
import { type FleetAgent, makeFleet } from "./support/external-fleet.ts";
import { connectMember } from "./support/fleet-member.ts";

/*
 * Log lines that the server acknowledges a second, by agents and lines a batch. The reference is a bare insert of the same
 * lines from unnest, with as many connections, on the same kind of database. Each agent stays within its log's limit, so
 * many take turns.
 *
 *   npm run bench:log-lines [-- --json]
 */

const output = "a line of a log, as long as many are";
const linesAnAgent = 20_000;
const shapes = [
  { agents: 1, batch: 10, lines: 5_000 },
  { agents: 1, batch: 100, lines: 20_000 },
  { agents: 1, batch: 1000, lines: 20_000 },
  { agents: 10, batch: 10, lines: 20_000 },
  { agents: 10, batch: 100, lines: 100_000 },
  { agents: 10, batch: 1000, lines: 200_000 },
] as const;

const signal = new AbortController().signal;
const sourceId = encodeUuid(randomUUID());

async function sendLines(
  serverUrl: string,
  agent: FleetAgent,
  batch: number,
  lines: number,
): Promise<void> {
  const connection = await connectMember(serverUrl, agent.token, signal);
  let time = BigInt(Date.now()) * 1_000_000n;
  for (let sent = 0; sent < lines; sent += batch) {
    const logs = Array.from({ length: batch }, () => ({
      createdAt: timestampFromNs((time += 1n)),
      output,
      level: Log_Level.INFO,
    }));
    await connection.unary(Agent.method.batchCreateLogs, { logSourceId: sourceId, logs }, signal);
  }
  await connection.close();
}

async function perSecond(lines: number, work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (lines * 1000) / (performance.now() - started);
}

async function bareInsert(
  url: pg.ClientConfig,
  writers: number,
  batch: number,
  lines: number,
): Promise<number> {
  const clients = Array.from({ length: writers }, () => new pg.Client(url));
  await Promise.all(clients.map((client) => client.connect()));
  const each = lines / writers;
  const rate = await perSecond(lines, () =>
    Promise.all(
      clients.map(async (client) => {
        const texts = Array.from({ length: batch }, () => output);
        for (let sent = 0; sent < each; sent += batch) {
          await client.query({
            name: "insert",
            text: "insert into bare (agent, output, created_at) select $1, line, now() from unnest($2::text[]) line",
            values: [randomUUID(), texts],
          });
        }
      }),
    ),
  );
  await Promise.all(clients.map((client) => client.end()));
  return rate;
}

const dataDir = await mkdtemp(join(tmpdir(), "slipway-bench-"));
const bareDir = await mkdtemp(join(tmpdir(), "slipway-bench-"));
const server = await startServerProcess({ dataDir, port: 0 });
const bare = await openEmbeddedPostgres({
  dataDir: bareDir,
  logger: silentLogger,
  clock: systemClock,
  signal,
});
try {
  const setup = new pg.Client(bare.connection);
  await setup.connect();
  await setup.query(
    "create table bare (id bigint generated always as identity primary key, agent uuid, output text, created_at timestamptz)",
  );
  await setup.end();
  const client = await logInAsAdmin(server.url);
  const needed = shapes.reduce(
    (sum, { agents, lines }) => sum + Math.max(agents, lines / linesAnAgent),
    0,
  );
  const fleet = [...(await makeFleet(client, needed))];
  const measurements: Measurement[] = [];
  for (const { agents, batch, lines } of shapes) {
    const used = fleet.splice(0, Math.max(agents, lines / linesAnAgent));
    const rate = await perSecond(lines, () =>
      Promise.all(used.map((agent) => sendLines(server.url, agent, batch, lines / used.length))),
    );
    const name = `${agents} × ${batch}`;
    measurements.push(
      {
        name: `bare insert, ${name}`,
        unit: "lines/s",
        runs: [await bareInsert(bare.connection, agents, batch, lines)],
      },
      { name: `acknowledged, ${name}`, unit: "lines/s", runs: [rate] },
    );
  }
  printReport("Log lines", measurements);
} finally {
  await server.end("SIGINT");
  await bare.close();
  await rm(dataDir, { recursive: true, force: true });
  await rm(bareDir, { recursive: true, force: true });
}
