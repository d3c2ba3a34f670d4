import { randomUUID } from "node:crypto";

import { encodeUuid } from "@slipway/wire/bytes/uuid";
import type {
  DescMessage,
  MessageInitShape,
  MessageShape,
} from "@slipway/wire/protobuf/descriptors";
import {
  Agent,
  BatchCreateLogsRequestSchema,
  Log_Level,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { createMessage, encodeMessage } from "@slipway/wire/protobuf/message";
import { timestampFromNs } from "@slipway/wire/protobuf/time";

import { defineBenchmark } from "./benchmark.ts";
import { openBareLogTable } from "./support/bare-log-table.ts";
import { type BenchServer, openBenchServers } from "./support/bench-servers.ts";
import type { FleetAgent } from "./support/external-fleet.ts";
import { connectMember } from "./support/fleet-member.ts";

/*
 * The number of log lines that a server acknowledges per second, by agents and lines per batch. The reference is a
 * bare insert from unnest of the same lines into a table with the same columns and key, over as many connections,
 * into a database with the same settings: it has no permissions, repeated batches, limits or followers. Batches are
 * encoded before the clock starts. Each agent stays within its log's limit, so many take turns. Everything shares the
 * machine, including the senders.
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

export const benchmark = defineBenchmark({
  title: "Log lines",
  options: { shape: "" },
  measure: async ({ options: { shape: wanted }, opened, findings }) => {
    const bare = await openBareLogTable(opened);
    const servers = await openBenchServers(opened);
    for (const { agents, batch, lines } of shapes) {
      if (wanted !== "" && wanted !== `${agents}x${batch}`) continue;
      const rows = Array.from({ length: batch }, () => output);
      const insert = () => bare.insert(agents, rows, lines / agents / batch);
      // The first run does not count, because it plans statements and compiles code.
      for (let run = 0; run <= runs; run += 1) {
        const note = (name: string, rate: number): void => {
          if (run > 0) findings.note(`${name}, ${agents} × ${batch}`, "lines/s", rate);
        };
        note("bare insert", await perSecond(lines, insert));
        for (const server of servers) {
          const fleet = await server.makeAgents(Math.max(agents, lines / linesAnAgent));
          note(server.name, await acknowledged(server, fleet, batch, lines));
        }
      }
    }
  },
});

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

/**
 * Makes a message that costs its sender almost nothing: it is encoded here, and everything after its first tag
 * becomes the value of one unknown field, which is sent unchanged, so that only the receiver is measured.
 */
function encodedMessage<Desc extends DescMessage>(
  schema: Desc,
  fields: MessageInitShape<Desc>,
): MessageShape<Desc> {
  const bytes = encodeMessage(schema, fields);
  const tag = bytes[0] ?? 0;
  // A tag of one byte: five bits of number, three of type.
  if (tag >= 0x80) throw new Error(`${schema.typeName} starts with a tag longer than a byte`);
  const message = createMessage(schema);
  // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the three bits are a wire type that was just encoded
  message.$unknown = [{ no: tag >> 3, wireType: tag & 7, data: bytes.subarray(1) }];
  return message;
}

async function perSecond(lines: number, work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (lines * 1000) / (performance.now() - started);
}
