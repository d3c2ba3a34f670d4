import { type Kysely, sql } from "kysely";

/**
 * The latencies that a peer of the network measured, as clients see them: `{"<region>":{"preferred","latency_ms"}}`.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table tailnet_peers add column latency jsonb`.execute(db);
}
