import { type Insertable, type RawBuilder, sql } from "kysely";

import type { DB, Json } from "./gen/schema.ts";

/** Rows of one table. */
export type NewRows = {
  readonly [T in keyof DB]: {
    readonly table: T;
    /** All of the same columns. */
    readonly rows: readonly NewRow<Insertable<DB[T]>>[];
  };
}[keyof DB];

/** A column of JSON takes whatever can be written as such. */
type NewRow<Columns> = {
  readonly [C in keyof Columns]: Json extends Columns[C] ? unknown : Columns[C];
};

/** A time that is written down, in rows: when the transaction began. */
export const transactionTime = "now";

/**
 * A statement that inserts rows into several tables, which may refer to each other, and selects something. Rows go as JSON, so that its text depends
 * on nothing but the columns, and PostgreSQL plans it once however many rows there are. Columns that rows leave out get
 * their defaults.
 */
export function insertRows(
  tables: readonly NewRows[],
  selection: RawBuilder<unknown> = sql``,
): RawBuilder<unknown> {
  const parts = tables
    .filter(({ rows }) => rows.length > 0)
    .map((part, index) => sql`${sql.id(`part_${index}`)} as (${insertInto(part)})`);
  return parts.length === 0
    ? sql`select ${selection}`
    : sql`with ${sql.join(parts)} select ${selection}`;
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
