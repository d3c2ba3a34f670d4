import { sql } from "kysely";

import { deleteOldVisits, rememberVisits } from "../../features/agents/connections/visits.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { DirectoryTimes, Peer, PublishedNode, StandingState } from "./peer-directory.ts";
import { deleteUnpublished } from "./reservations.ts";

/** A peer in the entries of one replica. */
interface Entry {
  readonly id: string;
  readonly coordinatorId: string;
}

/** The maximum number of lost peers of one holder; older ones are forgotten early. */
const maxLostOfHolder = 32;

/** Selects the peers that share a tunnel with a peer, as of the start of the statement. */
const peersOf = (id: string) => sql`
  select dst_id as id from tailnet_tunnels where src_id = ${id}
  union select src_id from tailnet_tunnels where dst_id = ${id}`;

/**
 * Records that a replica is alive. Resolves to the ids of the other live ones, and to whether this one was unknown, as
 * all are after a crash of PostgreSQL.
 */
export async function beat(
  db: Queryable,
  id: string,
  deadMs: number,
): Promise<{ readonly isNew: boolean; readonly others: readonly string[] }> {
  const { rows } = await sql<{ is_new: boolean; others: readonly string[] }>`
    with beat as (
      insert into tailnet_coordinators (id, heartbeat_at) values (${id}, now())
      on conflict (id) do update set heartbeat_at = excluded.heartbeat_at
      returning xmax = 0 as is_new)
    select is_new, array(
        select other.id::text from tailnet_coordinators other
          where other.id <> ${id} and other.heartbeat_at > now() - make_interval(secs => ${deadMs / 1000})
          order by other.id) as others
      from beat`.execute(db);
  const [row] = rows;
  return { isNew: row?.is_new ?? false, others: row?.others ?? [] };
}

/** Selects the peers that share a tunnel with a peer. */
export async function selectPeersOf(db: Queryable, id: string): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`${peersOf(id)}`.execute(db);
  return rows.map((row) => row.id);
}

export async function upsertPeer(
  db: Queryable,
  { id, holder, keyId, ip }: Peer,
  coordinatorId: string,
  node: Omit<PublishedNode, "latency"> & { latency: object | undefined; isFirst: boolean },
): Promise<void> {
  const latency = node.latency === undefined ? null : JSON.stringify(node.latency);
  await sql`
      insert into tailnet_peers (id, coordinator_id, holder, key_id, ip, node, reserved, latency, joined, revision)
        select ${id}, ${coordinatorId}, ${holder}, ${keyId ?? null}, ${ip ?? null}, ${Buffer.from(node.bytes)},
            ${sql.val([...node.reserved])}::text[], ${latency}::jsonb, revision, revision
          from nextval('tailnet_revisions') as revision
      on conflict (id, coordinator_id) do update set
        holder = excluded.holder, key_id = excluded.key_id, ip = excluded.ip, node = excluded.node,
        reserved = excluded.reserved, latency = excluded.latency,
        is_lost = false, is_gone = false, revision = excluded.revision,
        joined = case when ${node.isFirst} then excluded.joined else tailnet_peers.joined end,
        updated_at = now()`.execute(db);
}

/** Selects the nodes and tunnels of a peer on all replicas. */
export async function selectStanding(db: Queryable, id: string): Promise<StandingState> {
  const { rows } = await sql<StandingState>`
    select array(select node from tailnet_peers where id = ${id} and node is not null) as nodes,
        array(select distinct dst_id::text from tailnet_tunnels where src_id = ${id}) as destinations`.execute(
    db,
  );
  return rows[0] ?? { nodes: [], destinations: [] };
}

/** Adds a tunnel, and its source if that has published nothing yet. The key that opens a tunnel is the one to watch. */
export async function insertTunnel(
  db: Queryable,
  { id, holder, keyId, ip }: Peer,
  coordinatorId: string,
  destination: string,
): Promise<void> {
  await sql`
    with source as (
      insert into tailnet_peers (id, coordinator_id, holder, key_id, ip, revision)
        values (${id}, ${coordinatorId}, ${holder}, ${keyId ?? null}, ${ip ?? null}, nextval('tailnet_revisions'))
      on conflict (id, coordinator_id) do update set key_id = excluded.key_id, ip = excluded.ip)
    insert into tailnet_tunnels (src_id, dst_id, coordinator_id)
      values (${id}, ${destination}, ${coordinatorId})
    on conflict do nothing`.execute(db);
}

export async function deleteTunnel(
  db: Queryable,
  { id, coordinatorId }: Entry,
  destination: string,
): Promise<void> {
  await sql`
    with closed as (
      delete from tailnet_tunnels
        where src_id = ${id} and dst_id = ${destination} and coordinator_id = ${coordinatorId}
        returning src_id, dst_id, coordinator_id)
    ${rememberVisits("closed")}`.execute(db);
}

/** Records that a peer is ready for others; resolves to those that share a tunnel with it. */
export async function updateReadiness(
  db: Queryable,
  id: string,
  others: readonly string[],
): Promise<readonly string[]> {
  const ids = sql`${sql.val([...others])}::uuid[]`;
  const { rows } = await sql<{ id: string }>`
    with as_destination as (
      update tailnet_tunnels set dst_readiness = nextval('tailnet_revisions')
        where dst_id = ${id} and src_id = any(${ids}) returning src_id as id),
    as_source as (
      update tailnet_tunnels set src_readiness = nextval('tailnet_revisions')
        where src_id = ${id} and dst_id = any(${ids}) returning dst_id as id)
    select id from as_destination union select id from as_source`.execute(db);
  return rows.map((row) => row.id);
}

/** Marks a peer as lost, or deletes it if it has no node; resolves to the peers that saw it. */
export async function markPeerLost(
  db: Queryable,
  { id, holder }: Peer,
  coordinatorId: string,
  isGone: boolean,
): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    with lost as (
      update tailnet_peers set is_lost = true, is_gone = ${isGone}, updated_at = now()
        where id = ${id} and coordinator_id = ${coordinatorId} and node is not null),
    unseen as (
      delete from tailnet_peers
        where id = ${id} and coordinator_id = ${coordinatorId} and node is null),
    surplus as (
      delete from tailnet_peers using (
          select id, coordinator_id from tailnet_peers
            where holder = ${holder} and is_lost and id <> ${id}
            order by revision desc offset ${maxLostOfHolder - 1}) as older
        where tailnet_peers.id = older.id and tailnet_peers.coordinator_id = older.coordinator_id
        returning tailnet_peers.id, tailnet_peers.coordinator_id),
    closed as (
      select tunnel.* from surplus join tailnet_tunnels tunnel
        on tunnel.src_id = surplus.id and tunnel.coordinator_id = surplus.coordinator_id),
    visits as (${rememberVisits("closed")})
    ${peersOf(id)}`.execute(db);
  return rows.map((row) => row.id);
}

/** Deletes a peer with the tunnels that start at it; resolves to the peers that saw it. */
export async function deletePeer(
  db: Queryable,
  { id, coordinatorId }: Entry,
): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    with gone as (
      delete from tailnet_peers where id = ${id} and coordinator_id = ${coordinatorId}),
    closed as (
      select * from tailnet_tunnels where src_id = ${id} and coordinator_id = ${coordinatorId}),
    visits as (${rememberVisits("closed")})
    ${peersOf(id)}`.execute(db);
  return rows.map((row) => row.id);
}

/** Marks all peers of a replica as lost, and the replica as dead; resolves to the peers that saw them. */
export async function markAllLost(
  db: Queryable,
  coordinatorId: string,
): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    with lost as (
      update tailnet_peers set is_lost = true, updated_at = now()
        where coordinator_id = ${coordinatorId} and not is_lost returning id),
    dead as (
      update tailnet_coordinators set heartbeat_at = '-infinity' where id = ${coordinatorId})
    select distinct case tunnel.src_id when lost.id then tunnel.dst_id else tunnel.src_id end as id
      from lost join tailnet_tunnels tunnel on lost.id in (tunnel.src_id, tunnel.dst_id)`.execute(
    db,
  );
  return rows.map((row) => row.id);
}

export interface ViewRow {
  readonly viewer: string;
  readonly id: string;
  /** Null for a lost peer. */
  readonly node: Buffer | null;
  readonly revision: number;
  readonly readiness: number;
  readonly is_gone: boolean;
}

/** Selects the peers that each viewer sees; one that is connected to several replicas, from each. */
export async function selectViews(
  db: Queryable,
  viewers: readonly string[],
  deadMs: number,
): Promise<readonly ViewRow[]> {
  const { rows } = await sql<ViewRow>`
    select viewer.id as viewer, peer.id, peer.revision, peer.is_gone,
        case when is_present then peer.node end as node,
        case when is_present and tunnel.readiness >= peer.joined then tunnel.readiness else 0 end as readiness
      from unnest(${sql.val([...viewers])}::uuid[]) as viewer (id)
      cross join lateral (
        select id, max(readiness) as readiness from (
          select dst_id as id, dst_readiness as readiness from tailnet_tunnels where src_id = viewer.id
          union all select src_id, src_readiness from tailnet_tunnels where dst_id = viewer.id) as either
        group by id) as tunnel
      join tailnet_peers peer on peer.id = tunnel.id and peer.node is not null
      join tailnet_coordinators coordinator on coordinator.id = peer.coordinator_id
      cross join lateral (select not peer.is_lost
        and coordinator.heartbeat_at > now() - make_interval(secs => ${deadMs / 1000}) as is_present)
        as state`.execute(db);
  return rows;
}

/**
 * Deletes the peers that were lost, or whose replica was dead, for the time of grace; resolves to the peers that saw
 * them.
 */
export async function deleteForgotten(
  db: Queryable,
  { deadMs, graceMs }: Pick<DirectoryTimes, "deadMs" | "graceMs">,
): Promise<readonly string[]> {
  const grace = sql`make_interval(secs => ${graceMs / 1000})`;
  const { rows } = await sql<{ id: string }>`
    with forgotten as (
      delete from tailnet_peers peer using tailnet_coordinators coordinator
        where coordinator.id = peer.coordinator_id and peer.updated_at < now() - ${grace}
          and (peer.is_lost
            or coordinator.heartbeat_at < now() - ${grace} - make_interval(secs => ${deadMs / 1000}))
        returning peer.id)
    select distinct case tunnel.src_id when forgotten.id then tunnel.dst_id else tunnel.src_id end as id
      from forgotten join tailnet_tunnels tunnel on forgotten.id in (tunnel.src_id, tunnel.dst_id)`.execute(
    db,
  );
  return rows.map((row) => row.id);
}

/** Deletes dead replicas without peers, reservations that no node has any more, and old visits. */
export async function deleteLeftovers(db: Queryable, deadMs: number): Promise<void> {
  await sql`delete from tailnet_coordinators coordinator
    where heartbeat_at < now() - make_interval(secs => ${deadMs / 1000})
      and not exists (select from tailnet_peers where coordinator_id = coordinator.id)`.execute(db);
  await deleteUnpublished(db);
  await deleteOldVisits(db);
}
