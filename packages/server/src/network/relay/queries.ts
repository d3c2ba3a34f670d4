import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";

/** A relay as it announces itself to the others. */
export interface RelayReplica {
  readonly id: string;
  /** The URL at which others reach it. */
  readonly url: string;
  /** The name of its machine, on which alone a loopback address is reached. */
  readonly host: string;
}

export async function upsertReplica(db: Queryable, replica: RelayReplica): Promise<void> {
  const { id, url, host } = replica;
  const row = { url, host, heartbeat_at: sql<string>`now()` };
  await db
    .insertInto("relay_replicas")
    .values({ id, ...row })
    .onConflict((conflict) => conflict.column("id").doUpdateSet(row))
    .execute();
}

export async function deleteReplica(db: Queryable, id: string): Promise<void> {
  await db.deleteFrom("relay_replicas").where("id", "=", id).execute();
}

/** Deletes the relays not heard from for a while. */
export async function deleteSilentReplicas(db: Queryable, seconds: number): Promise<void> {
  await db
    .deleteFrom("relay_replicas")
    .where("heartbeat_at", "<", sql<string>`now() - make_interval(secs => ${seconds})`)
    .execute();
}

/** Selects the other relays. */
export function selectOtherReplicas(db: Queryable, id: string): Promise<RelayReplica[]> {
  return db
    .selectFrom("relay_replicas")
    .where("id", "<>", id)
    .select(["id", "url", "host"])
    .orderBy("id")
    .execute();
}

/** Keeps a key unless there is one. */
export async function insertMeshKey(db: Queryable, sealed: Buffer): Promise<void> {
  await db
    .insertInto("relay_mesh_keys")
    .values({ key_encrypted: sealed })
    .onConflict((conflict) => conflict.column("is_only").doNothing())
    .execute();
}

export async function selectMeshKey(db: Queryable): Promise<Buffer | undefined> {
  const row = await db.selectFrom("relay_mesh_keys").select("key_encrypted").executeTakeFirst();
  return row?.key_encrypted;
}
