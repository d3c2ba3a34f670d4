import type { PublishedKeys } from "@slipway/relay";
import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import type { Coordinator } from "./coordinator.ts";
import { reservedNodeKey, reservedNodeKeyOf } from "./node-key.ts";
import type { Peer } from "./peer-directory.ts";

interface PeerKeysNeeds {
  readonly db: Queryable;
  readonly coordinator: Pick<Coordinator, "onPublished">;
}

/** Returns the keys that peers have published on all replicas; only those of this replica are reported immediately. */
export function peerKeys({ db, coordinator }: PeerKeysNeeds): PublishedKeys {
  return {
    find: async (keys) => {
      const values = await selectReserved(db, keys.map(reservedNodeKey));
      return new Set(values.flatMap((value) => reservedNodeKeyOf(value) ?? []));
    },
    onPublished: (listener) =>
      coordinator.onPublished(({ reserved }) => {
        for (const value of reserved) {
          const key = reservedNodeKeyOf(value);
          if (key !== undefined) listener(key);
        }
      }),
  };
}

/**
 * Reserves the values of a peer's next node for its holder, and releases those that only its current node has. Resolves
 * to the number of values that are the holder's: fewer than given, with nothing released, if another holder publishes
 * one. Holders that ask for the same value concurrently wait for each other, so call it in the transaction that stores
 * the node.
 */
export async function reserve(
  db: Queryable,
  { id, holder }: Peer,
  coordinatorId: string,
  values: readonly string[],
): Promise<number> {
  const all = sql`${sql.val([...values])}::text[]`;
  // Locks a row of each value, in the same order everywhere. The next statement then sees what the previous holders of
  // the locks have published; a single statement that waits would decide by the state at its beginning.
  await sql`
    insert into tailnet_reservations (value, holder, peer_id)
      select distinct value, ${holder}, ${id}::uuid from unnest(${all}) as value order by value
      on conflict (value) do update set value = excluded.value where false`.execute(db);
  const { rows } = await sql<{ count: number }>`
    with reserved as (
      update tailnet_reservations present set holder = ${holder}, peer_id = ${id}
        where present.value = any(${all})
          and (present.holder = ${holder} or not ${isPublished("present", undefined)})
        returning value),
    released as (
      delete from tailnet_reservations earlier
        where earlier.peer_id = ${id} and earlier.holder = ${holder} and earlier.value <> all(${all})
          and (select count(*) from reserved) = ${values.length}
          and not ${isPublished("earlier", { id, coordinatorId })})
    select count(*) as count from reserved`.execute(db);
  return rows[0]?.count ?? 0;
}

/** Deletes the reservations that no node has any more. */
export async function deleteUnpublished(db: Queryable): Promise<void> {
  await sql`delete from tailnet_reservations reservation
    where not ${isPublished("reservation", undefined)}`.execute(db);
}

/** Selects the given values that are reserved, for any holder. */
async function selectReserved(
  db: Queryable,
  values: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await sql<{ value: string }>`
    select present.value from unnest(${sql.val([...values])}::text[]) as wanted (value)
      join tailnet_reservations present on present.value = wanted.value`.execute(db);
  return rows.map(({ value }) => value);
}

/** Returns the condition by which reservations last: a node of the holder, except one entry, has the reserved value. */
const isPublished = (reservation: string, except: PeerEntry | undefined) => sql<boolean>`exists (
  select from tailnet_peers publisher
    where publisher.holder = ${sql.ref(reservation)}.holder and publisher.node is not null
      and (publisher.reserved is null or ${sql.ref(reservation)}.value = any(publisher.reserved))
      and ${except === undefined ? sql`true` : sql`(publisher.id, publisher.coordinator_id) <> (${except.id}::uuid, ${except.coordinatorId}::uuid)`})`;

/** A peer in the entries of one replica. */
interface PeerEntry {
  readonly id: string;
  readonly coordinatorId: string;
}
