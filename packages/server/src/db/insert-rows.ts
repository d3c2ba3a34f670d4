import { type Insertable, type RawBuilder, sql } from "kysely";

import type { DB } from "./gen/schema.ts";

/** Rows of one table. */
export type NewRows = {
  readonly [T in keyof DB]: {
    readonly table: T;
    /** All of the same columns. */
    readonly rows: readonly Readonly<Insertable<DB[T]>>[];
  };
}[keyof DB];

/**
 * A statement that inserts rows into several tables, which may refer to each other. Rows go as JSON, so that its text depends
 * on nothing but the columns, and PostgreSQL plans it once however many rows there are. Columns that rows leave out get
 * their defaults.
 */
export function insertRows(tables: readonly NewRows[]): RawBuilder<unknown> {
  const parts = tables
    .filter(({ rows }) => rows.length > 0)
    .map((part, index) => sql`${sql.id(`part_${index}`)} as (${insertInto(part)})`);
  return parts.length === 0 ? sql`select` : sql`with ${sql.join(parts)} select`;
}

function insertInto({ table, rows }: NewRows): RawBuilder<unknown> {
  const columns = sql.join(Object.keys(rows[0] ?? {}).map((column) => sql.id(column)));
  const json = JSON.stringify(rows.map(jsonRow));
  return sql`insert into ${sql.table(table)} (${columns})
    select ${columns} from jsonb_populate_recordset(null::${sql.table(table)}, ${json}::jsonb)`;
}

/** Bytes as PostgreSQL reads them. */
function jsonRow(row: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      value instanceof Uint8Array ? `\\x${Buffer.from(value).toString("hex")}` : value,
    ]),
  );
}
