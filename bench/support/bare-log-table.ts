import { randomUUID } from "node:crypto";

import { openEmbeddedDatabase } from "./embedded-database.ts";
import { openDirectory } from "./our-server.ts";

/** A table like that of log lines, with the same key, in a separate database like a server's. */
export interface BareLogTable {
  /** Inserts lines over one connection per writer, each batch with one statement. */
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

/** Starts a database for the table; it closes with `opened`. */
export async function openBareLogTable(opened: AsyncDisposableStack): Promise<BareLogTable> {
  const database = await openEmbeddedDatabase(opened, await openDirectory(opened));
  const clients = [await database.connect()];
  await clients[0]?.query(table);
  return {
    insert: async (writers, batch, batchesEach) => {
      while (clients.length < writers) clients.push(await database.connect());
      await Promise.all(
        clients.slice(0, writers).map(async (client) => {
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
