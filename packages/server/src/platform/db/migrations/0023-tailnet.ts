import { type Kysely, sql } from "kysely";

/**
 * The peers of the network, their nodes and their tunnels (docs/protocol/tailnet.md §8.1), by the replica that they are
 * connected to. The tables are not logged: after a crash of PostgreSQL they are empty, and every peer reconnects.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create unlogged table tailnet_coordinators (
    id uuid primary key,
    heartbeat_at timestamptz not null)`,
  // The order of all changes.
  `create sequence tailnet_revisions`,
  `create unlogged table tailnet_peers (
    id uuid not null,
    coordinator_id uuid not null references tailnet_coordinators (id) on delete cascade,
    holder text not null,
    node bytea,
    is_lost boolean not null default false,
    joined bigint not null default 0,
    revision bigint not null,
    updated_at timestamptz not null default now(),
    primary key (id, coordinator_id))`,
  `create index tailnet_peers_coordinator on tailnet_peers (coordinator_id)`,
  `create index tailnet_peers_lost on tailnet_peers (holder, revision) where is_lost`,
  `create unlogged table tailnet_tunnels (
    src_id uuid not null,
    dst_id uuid not null,
    coordinator_id uuid not null,
    src_readiness bigint not null default 0,
    dst_readiness bigint not null default 0,
    primary key (src_id, dst_id, coordinator_id),
    foreign key (src_id, coordinator_id)
      references tailnet_peers (id, coordinator_id) on delete cascade)`,
  `create index tailnet_tunnels_dst on tailnet_tunnels (dst_id)`,
  // Addresses and keys, each of which only one holder may publish.
  `create unlogged table tailnet_reservations (
    value text primary key,
    holder text not null,
    peer_id uuid not null)`,
];
