import { sql } from "kysely";

import type { Queryable } from "./database.ts";

/** Returns the value of a setting that is changed at run time; undefined before its first change. */
export async function selectSetting(db: Queryable, key: string): Promise<string | undefined> {
  const row = await db
    .selectFrom("deployment")
    .where("key", "=", key)
    .select("value")
    .executeTakeFirst();
  return row?.value;
}

/** Makes other changes of settings wait until the transaction ends, so that what it reads is what it replaces. */
export async function lockSettings(db: Queryable): Promise<void> {
  await sql`lock table deployment in share row exclusive mode`.execute(db);
}

export async function upsertSetting(db: Queryable, key: string, value: string): Promise<void> {
  await db
    .insertInto("deployment")
    .values({ key, value })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ value }))
    .execute();
}
