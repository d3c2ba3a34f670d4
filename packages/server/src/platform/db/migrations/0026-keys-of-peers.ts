import { type Kysely, sql } from "kysely";

/** The session or token with which a client joined the network: whoever outlives its replica watches over its rights. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table tailnet_peers add column key_id text`.execute(db);
}
