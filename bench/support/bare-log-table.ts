import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openEmbeddedPostgres } from "@slipway/postgres";
import { silentLogger, systemClock } from "@slipway/runtime";
import pg from "pg";

/** A table like that of log lines, with the same key, alone in a database like a server's own. */
export interface BareLogTable {
  /** Inserts lines by as many connections as there are writers, each batch with one statement. */
  readonly insert: (
    writers: number,
    batch: readonly string[],
    batchesEach: number,
  ) => Promise<void>;
}

const table = `create table lines (
  agent_id uuid not null, id bigint not null, source_id uuid not null, level text not null,
  output text not null, created_at timestamptz not null, primary key (agent_id, id))`;
const statement = `insert into lines select $1, $2 + line.number, $3, 'info', line.output, now()
  from unnest($4::text[]) with ordinality as line (output, number)`;

/** Starts a database for the table; it goes with `opened`. */
export async function openBareLogTable(opened: AsyncDisposableStack): Promise<BareLogTable> {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-bench-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const database = opened.use(
    await openEmbeddedPostgres({
      dataDir,
      logger: silentLogger,
      clock: systemClock,
      signal: new AbortController().signal,
    }),
  );
  const clients = new Set<pg.Client>();
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client(database.connection);
    await client.connect();
    clients.add(client);
    return client;
  };
  const setUp = await connect();
  await setUp.query(table);
  opened.defer(async () => {
    for (const client of clients) await client.end();
  });
  const waiting = [setUp];
  return {
    insert: async (writers, batch, batchesEach) => {
      while (waiting.length < writers) waiting.push(await connect());
      await Promise.all(
        waiting.slice(0, writers).map(async (client) => {
          const agentId = randomUUID();
          for (let sent = 0; sent < batchesEach; sent += 1) {
            const values = [agentId, sent * batch.length, agentId, batch];
            await client.query({ name: "insert", text: statement, values });
          }
        }),
      );
    },
  };
}
