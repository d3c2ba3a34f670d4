import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import type { ProvisionerSession } from "../../platform/jobs/acquire-query.ts";

/** A provisioner at the beginning of a session. */
export interface NewWorker extends Omit<ProvisionerSession, "organizationId"> {
  readonly keyId: string;
  readonly name: string;
  readonly version: string;
  readonly drivers: readonly string[];
  readonly readsParameters: boolean;
}

/**
 * Begins a session of a provisioner, which ends its earlier ones; resolves to false, with nothing changed, if its id belongs
 * to a server or to another key.
 */
export async function beginSession(db: Queryable, worker: NewWorker): Promise<boolean> {
  const { workerId, sessionId, keyId, name, version, drivers, tags, readsParameters } = worker;
  const row = {
    name,
    version,
    drivers: [...drivers],
    tags: { ...tags },
    reads_parameters: readsParameters,
    session_id: sessionId,
    last_seen_at: sql<string>`now()`,
  };
  const { numInsertedOrUpdatedRows = 0n } = await db
    .insertInto("workers")
    .values({ id: workerId, key_id: keyId, ...row })
    .onConflict((conflict) =>
      conflict.column("id").doUpdateSet(row).where("workers.key_id", "=", keyId),
    )
    .executeTakeFirst();
  return numInsertedOrUpdatedRows > 0n;
}

/** Notes that a provisioner is there; resolves to false if its session is not its newest, or its key was deleted. */
export async function touchSession(
  db: Queryable,
  { workerId, sessionId }: Pick<ProvisionerSession, "workerId" | "sessionId">,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("workers")
    .set({ last_seen_at: sql`now()` })
    .where("id", "=", workerId)
    .where("session_id", "=", sessionId)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Notes that a session has ended: the provisioner is offline. */
export async function endSession(
  db: Queryable,
  { workerId, sessionId }: Pick<ProvisionerSession, "workerId" | "sessionId">,
): Promise<void> {
  await db
    .updateTable("workers")
    .set({ session_id: null, last_seen_at: sql`now()` })
    .where("id", "=", workerId)
    .where("session_id", "=", sessionId)
    .execute();
}

export async function isKeyThere(db: Queryable, keyId: string): Promise<boolean> {
  const row = await db
    .selectFrom("provisioner_keys")
    .where("id", "=", keyId)
    .select("id")
    .executeTakeFirst();
  return row !== undefined;
}
