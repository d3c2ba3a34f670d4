import type { Queryable } from "../../platform/db/database.ts";

/** Returns the value under a key, which the first caller sets. */
export async function readOrInsertFact(db: Queryable, key: string, value: string): Promise<string> {
  await db
    .insertInto("deployment")
    .values({ key, value })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const row = await db
    .selectFrom("deployment")
    .where("key", "=", key)
    .select("value")
    .executeTakeFirstOrThrow();
  return row.value;
}
