import { type Insertable, type RawBuilder, sql } from "kysely";

import type { DB, Json } from "./gen/schema.ts";

/** Rows of one table. */
export type NewRows = {
  readonly [T in keyof DB]: {
    readonly table: T;
    /** Rows with the same columns. */
    readonly rows: readonly NewRow<Insertable<DB[T]>>[];
  };
}[keyof DB];

/** A row to insert; JSON columns take any value that can be serialized. */
type NewRow<Columns> = {
  readonly [C in keyof Columns]: Json extends Columns[C] ? unknown : Columns[C];
};

/** The value for the current time in rows: the start of the transaction. */
export const transactionTime = "now";

/**
 * Returns a statement that inserts rows into several tables, which may refer to each other, and selects something. Rows
 * are passed as JSON, so that its text depends only on the columns, and PostgreSQL plans it once however many rows
 * there are. Omitted columns get their defaults.
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

/** Encodes a row as JSON, with bytes in PostgreSQL's format. */
function jsonRow(row: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      value instanceof Uint8Array ? `\\x${Buffer.from(value).toString("hex")}` : value,
    ]),
  );
}
