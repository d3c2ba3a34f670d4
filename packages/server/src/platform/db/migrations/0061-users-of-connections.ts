import { type Kysely, sql } from "kysely";

/**
 * The users of connections to agents. Agents report only the address of the peer inside the network, so the coordinator
 * stores the address at which the server sees each client. The visits are those of clients that left, for reports that
 * come late; like the peers, they are not logged.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `alter table workspace_connections add column user_id uuid references users (id) on delete set null`,
  `alter table tailnet_peers add column ip text`,
  `create unlogged table tailnet_visits (
    agent_id uuid not null,
    peer_id uuid not null,
    holder text not null,
    ip text,
    addresses text[] not null,
    left_at timestamptz not null default now(),
    primary key (agent_id, peer_id))`,
];
