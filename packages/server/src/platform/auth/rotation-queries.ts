import { sql } from "kysely";

import type { Queryable } from "../db/database.ts";
import type { SealedColumn } from "./sealed-columns.ts";

export interface SealedSecret {
  readonly id: string;
  readonly sealed: Buffer;
}

interface OutdatedQuery {
  /** The prefix of values that are up to date. */
  readonly newestPrefix: Buffer;
  /** Only rows after this id. */
  readonly after: string;
  readonly limit: number;
}

/** Returns the next rows that are not encrypted with the newest key, locked until the transaction ends. */
export async function lockOutdated(
  db: Queryable,
  { table, id, column }: SealedColumn,
  { newestPrefix, after, limit }: OutdatedQuery,
): Promise<readonly SealedSecret[]> {
  const result = await sql<SealedSecret>`
    select ${sql.ref(id)} as id, ${sql.ref(column)} as sealed
    from ${sql.table(table)}
    where ${sql.ref(id)} > ${after}::uuid
      and substring(${sql.ref(column)} from 1 for ${newestPrefix.length}::int) <> ${newestPrefix}::bytea
    order by ${sql.ref(id)}
    limit ${limit}
    for update`.execute(db);
  return result.rows;
}

/** Returns the prefixes of secrets in use that are none of those, one each. */
export async function selectOtherPrefixes(
  db: Queryable,
  { table, column, keepsDeleted }: SealedColumn,
  prefixes: readonly Buffer[],
): Promise<readonly Buffer[]> {
  const length = sql.lit(prefixes[0]?.length ?? 0);
  const isInUse = keepsDeleted ? sql`not deleted` : sql`true`;
  const result = await sql<{ prefix: Buffer }>`
    select distinct substring(${sql.ref(column)} from 1 for ${length}) as prefix
    from ${sql.table(table)}
    where ${isInUse}
      and substring(${sql.ref(column)} from 1 for ${length}) <> all(${[...prefixes]}::bytea[])`.execute(
    db,
  );
  return result.rows.map(({ prefix }) => prefix);
}

export async function deleteSealed(
  db: Queryable,
  { table, id }: SealedColumn,
  ids: readonly string[],
): Promise<void> {
  await sql`delete from ${sql.table(table)} where ${sql.ref(id)} = any(${[...ids]}::uuid[])`.execute(
    db,
  );
}

export async function updateSealed(
  db: Queryable,
  { table, id, column }: SealedColumn,
  secrets: readonly SealedSecret[],
): Promise<void> {
  await sql`
    update ${sql.table(table)} as t set ${sql.ref(column)} = n.sealed
    from unnest(
      ${secrets.map((secret) => secret.id)}::uuid[],
      ${secrets.map((secret) => secret.sealed)}::bytea[]
    ) as n (id, sealed)
    where t.${sql.ref(id)} = n.id`.execute(db);
}
