import { randomUUID } from "node:crypto";

import { encodeUuid } from "@slipway/wire/bytes/uuid";
import {
  Agent,
  BatchCreateLogsRequestSchema,
  Log_Level,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { timestampFromNs } from "@slipway/wire/protobuf/time";

import { type Measurement, printReport } from "./report.ts";
import { openBareLogTable } from "./support/bare-log-table.ts";
import { type BenchServer, openBenchServers } from "./support/bench-servers.ts";
import { encodedMessage } from "./support/encoded-message.ts";
import type { FleetAgent } from "./support/external-fleet.ts";
import { connectMember } from "./support/fleet-member.ts";

/*
 * Log lines that a server acknowledges a second, by agents and lines a batch. The reference is a bare insert from
 * unnest of the same lines into a table of the same columns and key, by as many connections, into a database with the
 * same settings: it knows nothing of permissions, of repeated batches, of limits and of followers. Batches are encoded
 * before the clock starts. Each agent stays within its log's limit, so many take turns. Everything shares the machine,
 * the senders included.
 *
 *   npm run bench:log-lines [-- --json] [--shape=10x1000]
 *
 * A stock server takes part when the environment names one; see support/stock-server.ts.
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
const runs = 3;

const signal = new AbortController().signal;

function encodeBatches(batch: number, count: number) {
  const sourceId = encodeUuid(randomUUID());
  let time = BigInt(Date.now()) * 1_000_000n;
  return Array.from({ length: count }, () =>
    encodedMessage(BatchCreateLogsRequestSchema, {
      logSourceId: sourceId,
      logs: Array.from({ length: batch }, () => ({
        createdAt: timestampFromNs((time += 1n)),
        output,
        level: Log_Level.INFO,
      })),
    }),
  );
}

async function acknowledged(
  { client }: BenchServer,
  agents: readonly FleetAgent[],
  batch: number,
  lines: number,
): Promise<number> {
  const batches = encodeBatches(batch, lines / agents.length / batch);
  const members = await Promise.all(
    agents.map(({ token }) => connectMember(client.serverUrl, token, signal)),
  );
  const rate = await perSecond(lines, () =>
    Promise.all(
      members.map(async (member) => {
        for (const message of batches) {
          await member.unary(Agent.method.batchCreateLogs, message, signal);
        }
      }),
    ),
  );
  await Promise.all(members.map((member) => member.close()));
  return rate;
}

async function perSecond(lines: number, work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (lines * 1000) / (performance.now() - started);
}

await using opened = new AsyncDisposableStack();
const bare = await openBareLogTable(opened);
const servers = await openBenchServers(opened);
const wanted = /--shape=(\S+)/.exec(process.argv.join(" "))?.[1];
const measurements: Measurement[] = [];
for (const { agents, batch, lines } of shapes) {
  if (wanted !== undefined && wanted !== `${agents}x${batch}`) continue;
  const shape = `${agents} × ${batch}`;
  const count = Math.max(agents, lines / linesAnAgent);
  const insert = () =>
    bare.insert(
      agents,
      Array.from({ length: batch }, () => output),
      lines / agents / batch,
    );
  const bareRuns: number[] = [];
  const serverRuns = servers.map((): number[] => []);
  for (let run = 0; run <= runs; run += 1) {
    // The first run does not count: statements are planned and code is compiled in it.
    const keep = (rates: number[], rate: number): void => {
      if (run > 0) rates.push(rate);
    };
    keep(bareRuns, await perSecond(lines, insert));
    for (const [index, server] of servers.entries()) {
      const fleet = await server.makeAgents(count);
      keep(serverRuns[index] ?? [], await acknowledged(server, fleet, batch, lines));
    }
  }
  measurements.push(
    { name: `bare insert, ${shape}`, unit: "lines/s", runs: bareRuns },
    ...servers.map(({ name }, index) => ({
      name: `${name}, ${shape}`,
      unit: "lines/s",
      runs: serverRuns[index] ?? [],
    })),
  );
}
printReport("Log lines", measurements);
