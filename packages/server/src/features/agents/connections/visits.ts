import { type RawBuilder, sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";

/*
 * The clients that reach agents, as the coordinator stores them: the users as whom they joined the network, and the
 * addresses from which the server saw them. Agents are not trusted to attribute a connection to a user. An agent reports
 * the address of a peer inside the network, which counts only if that peer has a tunnel to the agent or had one shortly
 * before.
 */

/** The prefixes of the names of holders of addresses and keys in the network, by kind of holder; an id follows. */
export const holderPrefixes = {
  user: "user:",
  server: "server:",
  workspace: "workspace:",
} as const;

/** The time for which a closed tunnel counts: reports of short commands arrive after their client has left. */
const rememberedMinutes = 3;

/**
 * Selects the client at an address inside the network that reaches an agent: `user_id`, and `ip` as the server saw it.
 * A present client is preferred to one that has left; there is no row without either.
 */
export function visitorAt(agentId: string, address: string | null): RawBuilder<unknown> {
  return sql`
    select substr(holder, ${holderPrefixes.user.length + 1})::uuid as user_id, ip from (
      select peer.holder, peer.ip, 'infinity'::timestamptz as left_at
        from tailnet_tunnels tunnel
          join tailnet_peers peer on peer.id = tunnel.src_id and peer.coordinator_id = tunnel.coordinator_id
        where tunnel.dst_id = ${agentId}::uuid and ${address}::text = any(peer.reserved)
      union all
      select holder, ip, left_at from tailnet_visits
        where agent_id = ${agentId}::uuid and ${address}::text = any(addresses)
          and left_at > now() - make_interval(mins => ${rememberedMinutes})) as visitor
      where starts_with(holder, ${holderPrefixes.user})
      order by left_at desc limit 1`;
}

/** Selects those of some addresses inside the network that belong to servers, which reach agents for users. */
export async function selectServersAddresses(
  db: Queryable,
  addresses: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ readonly value: string }>`
    select value from tailnet_reservations
      where value = any(${addresses}::text[]) and starts_with(holder, ${holderPrefixes.server})`.execute(
    db,
  );
  return new Set(rows.map(({ value }) => value));
}

/**
 * Returns the statement that remembers the users of closed tunnels. `closed` is a table expression of the statement
 * that deletes the tunnels or their peers, with the columns of `tailnet_tunnels`.
 */
export function rememberVisits(closed: string): RawBuilder<unknown> {
  return sql`
    insert into tailnet_visits (agent_id, peer_id, holder, ip, addresses)
      select distinct on (tunnel.dst_id, peer.id) tunnel.dst_id, peer.id, peer.holder, peer.ip, peer.reserved
        from ${sql.table(closed)} tunnel
          join tailnet_peers peer on peer.id = tunnel.src_id and peer.coordinator_id = tunnel.coordinator_id
        where starts_with(peer.holder, ${holderPrefixes.user}) and peer.reserved is not null
        order by tunnel.dst_id, peer.id, peer.revision desc
      on conflict (agent_id, peer_id) do update set
        holder = excluded.holder, ip = excluded.ip, addresses = excluded.addresses, left_at = excluded.left_at`;
}

/** Deletes the visits that are too old to count for a report. */
export async function deleteOldVisits(db: Queryable): Promise<void> {
  await sql`delete from tailnet_visits
    where left_at < now() - make_interval(mins => ${rememberedMinutes})`.execute(db);
}
