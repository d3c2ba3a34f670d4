import { sql } from "kysely";

import { holderPrefixes, rememberVisits } from "../../features/agents/connections/visits.ts";
import type { Queryable } from "../../platform/db/database.ts";

/** A client without a session: it is lost, or its replica is dead. */
export interface AbsentClient {
  readonly id: string;
  readonly userId: string;
  /** The session or token with which it joined last. */
  readonly keyId: string;
  /** The peers to which it has tunnels. */
  readonly agents: readonly string[];
  /** The revision of its entry; a client that came back has another. */
  readonly revision: number;
}

/** The clients of some users, or with tunnels to agents of some workspaces; without either, all. */
export interface AbsentFilter {
  readonly userIds?: readonly string[];
  readonly workspaceIds?: readonly string[];
}

/** The maximum number of absent clients in one page. */
const pageSize = 1000;

/** Returns the condition for entries of absent peers: those that are lost, and all of dead replicas. */
const isAbsent = (deadMs: number) => sql<boolean>`(peer.is_lost
  or coordinator.heartbeat_at < now() - make_interval(secs => ${deadMs / 1000}))`;

/** Yields the absent clients that match, the newest first. */
export async function* selectAbsent(
  db: Queryable,
  deadMs: number,
  { userIds, workspaceIds }: AbsentFilter = {},
  size = pageSize,
): AsyncGenerator<readonly AbsentClient[], void, undefined> {
  const matches =
    userIds !== undefined
      ? sql`peer.holder = any(${userIds.map((id) => `${holderPrefixes.user}${id}`)}::text[])`
      : workspaceIds !== undefined
        ? sql`(peer.id, peer.coordinator_id) in (
            select tunnel.src_id, tunnel.coordinator_id
              from workspace_builds build join workspace_agents agent on agent.workspace_build_id = build.id
                join tailnet_tunnels tunnel on tunnel.dst_id = agent.id
              where build.workspace_id = any(${workspaceIds}::uuid[]))`
        : sql`true`;
  for (let before: number | undefined; ;) {
    const isOlder = before === undefined ? sql`true` : sql`peer.revision < ${before}`;
    const { rows } = await sql<AbsentClient>`
      select peer.id, substr(peer.holder, ${holderPrefixes.user.length + 1}) as "userId", peer.key_id as "keyId", peer.revision,
          array(
            select tunnel.dst_id::text from tailnet_tunnels tunnel
              where tunnel.src_id = peer.id and tunnel.coordinator_id = peer.coordinator_id) as agents
        from tailnet_peers peer join tailnet_coordinators coordinator on coordinator.id = peer.coordinator_id
        where peer.key_id is not null and ${isAbsent(deadMs)} and ${matches} and ${isOlder}
        order by peer.revision desc limit ${size}`.execute(db);
    if (rows.length > 0) yield rows;
    if (rows.length < size) return;
    before = rows.at(-1)?.revision;
  }
}

/**
 * Deletes entries of absent clients with their tunnels; resolves to the peers that saw them. One that came back
 * stays.
 */
export async function deleteAbsent(
  db: Queryable,
  revisions: readonly number[],
  deadMs: number,
): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    with gone as (
      delete from tailnet_peers peer using tailnet_coordinators coordinator
        where peer.revision = any(${sql.val([...revisions])}::bigint[]) and coordinator.id = peer.coordinator_id
          and ${isAbsent(deadMs)}
        returning peer.id, peer.coordinator_id),
    closed as (
      select tunnel.* from gone join tailnet_tunnels tunnel
        on tunnel.src_id = gone.id and tunnel.coordinator_id = gone.coordinator_id),
    visits as (${rememberVisits("closed")})
    select distinct tunnel.dst_id as id
      from gone join tailnet_tunnels tunnel on tunnel.src_id = gone.id`.execute(db);
  return rows.map((row) => row.id);
}

/** Deletes tunnels of absent clients. */
export async function deleteAbsentTunnels(
  db: Queryable,
  tunnels: readonly { readonly source: string; readonly destination: string }[],
  deadMs: number,
): Promise<void> {
  const sources = sql.val(tunnels.map(({ source }) => source));
  const destinations = sql.val(tunnels.map(({ destination }) => destination));
  await sql`
    with closed as (
      delete from tailnet_tunnels tunnel
        using unnest(${sources}::uuid[], ${destinations}::uuid[]) as ended (src_id, dst_id),
          tailnet_peers peer, tailnet_coordinators coordinator
        where tunnel.src_id = ended.src_id and tunnel.dst_id = ended.dst_id
          and peer.id = tunnel.src_id and peer.coordinator_id = tunnel.coordinator_id
          and coordinator.id = peer.coordinator_id and ${isAbsent(deadMs)}
        returning tunnel.src_id, tunnel.dst_id, tunnel.coordinator_id)
    ${rememberVisits("closed")}`.execute(db);
}
