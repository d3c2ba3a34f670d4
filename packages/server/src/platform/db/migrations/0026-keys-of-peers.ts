import { type Kysely, sql } from "kysely";

/** The session or token with which a client joined the network: its rights are checked even if its replica is gone. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table tailnet_peers add column key_id text`.execute(db);
}
