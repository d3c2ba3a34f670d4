import { type Insertable, type RawBuilder, sql } from "kysely";

import type { Queryable } from "./database.ts";
import type { DB, Json } from "./gen/schema.ts";
import { prepareQuery } from "./prepared-query.ts";

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

/** An expression that a statement selects alongside its inserts. */
export interface Selection {
  /** Distinguishes the expression from others. */
  readonly name: string;
  readonly values: readonly string[];
  /** Returns the expression of these values, without inspecting them. */
  readonly build: (values: readonly string[]) => RawBuilder<unknown>;
}

interface InsertOptions {
  readonly selection?: Selection | undefined;
  /** True if a transaction sends it with its next statement, which fails with its error. */
  readonly sentWithNext?: boolean;
}

type Insert = (db: Queryable, ...values: readonly string[]) => Promise<readonly unknown[]>;

/** The statements built so far, by their tables and columns; the code has few combinations of them. */
const inserts = new Map<string, Insert>();

/**
 * Inserts rows into several tables, which may refer to each other, and selects something, in one statement. Rows are
 * passed as JSON, so that the text of the statement depends only on the columns, and is built and planned once for any
 * number of rows. Omitted columns get their defaults.
 */
export async function insertRows(
  db: Queryable,
  tables: readonly NewRows[],
  { selection, sentWithNext = false }: InsertOptions = {},
): Promise<void> {
  const parts = partsOf(tables);
  if (parts.length === 0 && selection === undefined) return;
  const key = JSON.stringify([parts.map(({ key: part }) => part), selection?.name, sentWithNext]);
  const insert = inserts.get(key) ?? prepareInsert(parts, { selection, sentWithNext });
  inserts.set(key, insert);
  const json = parts.map(({ rows }) => JSON.stringify(rows.map(jsonRow)));
  await insert(db, ...json, ...(selection?.values ?? []));
}

/** The rows of a table that have values for the same columns. */
interface Part {
  readonly key: string;
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: readonly object[];
}

/** Joins the rows with the same columns of each table, in an order of the tables that does not depend on theirs. */
function partsOf(tables: readonly NewRows[]): readonly Part[] {
  const filled = tables.flatMap(({ table, rows }): readonly Part[] => {
    const columns = Object.keys(rows[0] ?? {});
    return rows.length === 0 ? [] : [{ key: [table, ...columns].join(" "), table, columns, rows }];
  });
  return [...Map.groupBy(filled, ({ key }) => key)]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([, same]) => {
      const [first] = same;
      return first === undefined ? [] : [{ ...first, rows: same.flatMap((part) => part.rows) }];
    });
}

function prepareInsert(
  parts: readonly Part[],
  { selection, sentWithNext }: Required<InsertOptions>,
): Insert {
  const build = (_: Queryable, ...values: readonly string[]): RawBuilder<unknown> => {
    const selected = selection?.build(values.slice(parts.length)) ?? sql``;
    if (parts.length === 0) return sql`select ${selected}`;
    const inserting = parts.map(
      (part, index) =>
        sql`${sql.id(`part_${index}`)} as (${insertInto(part, values[index] ?? "")})`,
    );
    return sql`with ${sql.join(inserting)} select ${selected}`;
  };
  return prepareQuery(build, { sentWithNext });
}

function insertInto({ table, columns }: Part, json: string): RawBuilder<unknown> {
  const names = sql.join(columns.map((column) => sql.id(column)));
  return sql`insert into ${sql.table(table)} (${names})
    select ${names} from jsonb_populate_recordset(null::${sql.table(table)}, ${json}::jsonb)`;
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
