import { type Kysely, sql } from "kysely";

/**
 * The values that each peer's node reserves for its holder: a reservation lasts as long as a node has it. Null for the
 * nodes of replicas that do not write it, whose reservations stand until their peer is gone.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `alter table tailnet_peers add column reserved text[]`,
  `create index tailnet_peers_holder on tailnet_peers (holder)`,
  `create index tailnet_reservations_peer on tailnet_reservations (peer_id)`,
];
