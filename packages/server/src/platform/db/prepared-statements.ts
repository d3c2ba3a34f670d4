import pg, { type Connection, type PoolClient, type Submittable } from "pg";

/** A value as it is sent: text, bytes, or null. */
export type SentValue = string | Buffer | null;

/** A statement with the name under which it is prepared, the same on every connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly SentValue[];
}

export interface StatementResult {
  /** The first word of the completed command, such as `UPDATE`. */
  readonly command: string;
  readonly rowCount: number;
  readonly rows: object[];
}

/** The columns of a statement's rows. */
interface Shape {
  readonly names: readonly string[];
  readonly parsers: readonly ((text: string) => unknown)[];
  /** A row without values, which each row copies: that is faster than adding columns one by one. */
  readonly empty: Readonly<Record<string, unknown>>;
}

/** The statements that a connection has prepared, by name. */
export type PreparedShapes = Map<string, Shape>;

// Missing from pg's types, although pg uses it for every statement.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a function of pg
const { prepareValue } = (pg as unknown as PgWithUtils).utils;

interface PgWithUtils {
  readonly utils: { readonly prepareValue: (value: unknown) => SentValue };
}

/** Converts values as pg does. Throws for those that have no text, such as an object that contains itself. */
export function sentValues(values: readonly unknown[]): readonly SentValue[] {
  return values.map((value) => prepareValue(value));
}

const noColumns: Shape = { names: [], parsers: [], empty: {} };
/** The codes of a statement that no longer returns the columns it was prepared with, or is no longer prepared. */
const outdatedCodes: ReadonlySet<unknown> = new Set(["0A000", "26000"]);

/**
 * Runs statements in one round trip, for `client.query`, which sends them and passes the answers on. The result is that
 * of the last one; if one fails, those after it do not run. Statements that the connection has prepared are not
 * described again, which would cost both ends more than the rest of a small statement.
 */
export class PreparedStatements implements Submittable {
  readonly result: Promise<StatementResult>;
  readonly #statements: readonly Statement[];
  readonly #client: Pick<PoolClient, "getTypeParser">;
  readonly #prepared: PreparedShapes;
  readonly #settle: PromiseWithResolvers<StatementResult>;
  /** The shapes so far, of the statements that are complete and of the one that is running. */
  readonly #shapes: Shape[] = [];
  #completed = 0;
  #tag = "";
  #rows: object[] = [];
  /** The failure to read a value; the rows after it are skipped. */
  #unreadable: unknown;

  constructor(
    client: Pick<PoolClient, "getTypeParser">,
    prepared: PreparedShapes,
    statements: readonly Statement[],
  ) {
    this.#client = client;
    this.#prepared = prepared;
    this.#statements = statements;
    this.#settle = Promise.withResolvers();
    this.result = this.#settle.promise;
  }

  /*
   * Messages of the extended protocol. The first four lines are sent once per statement and connection: an attempt that
   * failed may have left the name behind, and closing a name that does not exist is not an error.
   *
   *   Close S name | Parse name text
   *   Bind name values
   *   Describe P
   *   Execute
   *   … the next statement, then Sync
   */
  submit(connection: Connection): void {
    const { stream } = connection;
    stream.cork();
    for (const { name, text, values } of this.#statements) {
      const isNew = !this.#prepared.has(name);
      if (isNew) {
        connection.close({ type: "S", name }, true);
        connection.parse({ name, text, types: [] }, true);
      }
      connection.bind({ statement: name, values: [...values] }, true);
      if (isNew) connection.describe({ type: "P" }, true);
      connection.execute(null, true);
    }
    connection.sync();
    stream.uncork();
  }

  handleRowDescription({ fields }: { readonly fields: readonly Field[] }): void {
    this.#shapes[this.#completed] = {
      names: fields.map(({ name }) => name),
      parsers: fields.map(({ dataTypeID }) => {
        // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- ids outside the enumeration occur too
        return this.#client.getTypeParser(dataTypeID, "text");
      }),
      empty: Object.fromEntries(fields.map(({ name }) => [name, null])),
    };
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    if (this.#unreadable !== undefined) return;
    try {
      this.#rows.push(readRow(this.#shape(), fields));
    } catch (error) {
      this.#unreadable = error;
    }
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#shapes[this.#completed] = this.#shape();
    this.#completed += 1;
    if (this.#completed < this.#statements.length) this.#rows = [];
    this.#tag = text;
  }

  handleError(error: Error): void {
    if ("code" in error && outdatedCodes.has(error.code)) {
      for (const { name } of this.#statements) this.#prepared.delete(name);
    }
    this.#settle.reject(error);
  }

  handleReadyForQuery(): void {
    for (const [index, { name }] of this.#statements.entries()) {
      this.#prepared.set(name, this.#shapes[index] ?? noColumns);
    }
    if (this.#unreadable !== undefined) return this.#settle.reject(this.#unreadable);
    // INSERT 0 2, UPDATE 2, SELECT 2, BEGIN
    const [command = "", ...counts] = this.#tag.split(" ");
    this.#settle.resolve({ command, rowCount: Number(counts.at(-1) ?? 0), rows: this.#rows });
  }

  #shape(): Shape {
    const name = this.#statements[this.#completed]?.name ?? "";
    return this.#shapes[this.#completed] ?? this.#prepared.get(name) ?? noColumns;
  }
}

function readRow({ names, parsers, empty }: Shape, fields: readonly (string | null)[]): object {
  const row = { ...empty };
  for (const [index, text] of fields.entries()) {
    if (text !== null) row[names[index] ?? ""] = parsers[index]?.(text);
  }
  return row;
}

interface Field {
  readonly name: string;
  readonly dataTypeID: number;
}
