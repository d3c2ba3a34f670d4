import type { Database } from "@slipway/server";
import { type RawBuilder, sql } from "kysely";

/** The tables whose times affect claims. */
const tables = [
  "template_version_presets",
  "workspaces",
  "workspace_builds",
  "jobs",
  "workspace_agents",
] as const;

/**
 * Advances time where `now()` stands still, by moving every past time back. So the production statements run
 * unchanged, and time passes only when a history says so.
 */
export class TimeShift {
  readonly #db: Database;
  readonly #columns: ReadonlyMap<string, readonly string[]>;

  private constructor(db: Database, columns: ReadonlyMap<string, readonly string[]>) {
    this.#db = db;
    this.#columns = columns;
  }

  static async open(db: Database): Promise<TimeShift> {
    const { rows } = await sql<{ readonly table_name: string; readonly column_name: string }>`
      select table_name, column_name from information_schema.columns
        where table_schema = 'public' and data_type = 'timestamp with time zone'
          and table_name = any(${sql.val([...tables])})`.execute(db);
    const columns = new Map(
      tables.map((table) => [
        table,
        rows.filter(({ table_name }) => table_name === table).map(({ column_name }) => column_name),
      ]),
    );
    return new TimeShift(db, columns);
  }

  /** Returns the exact time `ms` ago. */
  async before(ms: number): Promise<string> {
    const { rows } = await sql<{ readonly at: string }>`
      select (now() - make_interval(secs => ${ms} / 1000.0))::text as at`.execute(this.#db);
    const [row] = rows;
    if (row === undefined) throw new Error("database returned no time");
    return row.at;
  }

  async pass(ms: number): Promise<void> {
    const shifts = [...this.#columns].map(([table, columns]) => shift(table, columns, ms));
    await sql`with ${sql.join(shifts)} select 1`.execute(this.#db);
  }
}

function shift(table: string, columns: readonly string[], ms: number): RawBuilder<unknown> {
  const settings = columns.map(
    (column) => sql`${sql.id(column)} = ${sql.id(column)} - make_interval(secs => ${ms} / 1000.0)`,
  );
  return sql`${sql.id(`of_${table}`)} as (update ${sql.table(table)} set ${sql.join(settings)})`;
}
