import type { PostgresPool, PostgresPoolClient } from "kysely";
import type { Pool, PoolClient } from "pg";

import {
  type PreparedShapes,
  PreparedStatements,
  sentValues,
  type Statement,
  type StatementResult,
} from "./prepared-statements.ts";

/**
 * The maximum number of prepared texts; others are sent unnamed, so that lists of varying length do not fill the
 * server's memory.
 */
const maxStatements = 1000;

/** The part of a pool used here. */
export type ConnectionPool = Pick<Pool, "options" | "end" | "connect">;

/** The statements that begin and end a transaction. */
export interface TransactionWords {
  readonly begin: string;
  readonly commit: string;
  readonly rollback: string;
}

export const transactionWords: TransactionWords = {
  begin: "begin",
  commit: "commit",
  rollback: "rollback",
};

const heldBack = new WeakSet<readonly unknown[]>();

/**
 * Marks the values of a statement without a result, so that the statement is held and sent with the next one of its
 * transaction. If it fails, the next one fails with its error.
 */
export function holdBack(values: readonly unknown[]): void {
  heldBack.add(values);
}

/**
 * Adapts a pool for Kysely, with every statement prepared under a name: PostgreSQL parses and plans a text once per
 * connection. Names derive from the text, so they mean the same on each connection. `words` replace those of Kysely.
 */
export function preparedPool(
  pool: ConnectionPool,
  words: TransactionWords = transactionWords,
): PostgresPool {
  const names = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    const known = names.get(text);
    if (known !== undefined || names.size >= maxStatements) return known;
    const name = `s${names.size + 1}`;
    names.set(text, name);
    return name;
  };
  const clients = new WeakMap<PoolClient, PreparedClient>();
  return {
    options: pool.options,
    connect: async () => {
      const client = await pool.connect();
      const known = clients.get(client) ?? new PreparedClient(client, { nameOf, words });
      clients.set(client, known);
      return known;
    },
    end: () => pool.end(),
  };
}

interface PreparedClientOptions {
  readonly nameOf: (text: string) => string | undefined;
  readonly words: TransactionWords;
}

/**
 * A connection for Kysely. The statement that begins a transaction is held until the first one in it, like others that
 * are held back: waiting for its answer would cost a round trip.
 */
class PreparedClient implements PostgresPoolClient {
  readonly #client: PoolClient;
  readonly #options: PreparedClientOptions;
  readonly #prepared: PreparedShapes = new Map();
  #held: Statement[] = [];
  /** True while the statement that begins the transaction is held, and so nothing has reached PostgreSQL. */
  #isBeginning = false;

  constructor(client: PoolClient, options: PreparedClientOptions) {
    this.#client = client;
    this.#options = options;
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- the overloads of `PostgresPoolClient`
  query(text: unknown, values: readonly unknown[] = []): any {
    if (typeof text !== "string") throw new TypeError("cursors are not supported by this pool");
    return this.#run(text, values);
  }

  release(destroy?: boolean): void {
    this.#takeHeld();
    this.#client.release(destroy);
  }

  async #run(text: string, values: readonly unknown[]): Promise<StatementResult> {
    switch (text) {
      case transactionWords.begin:
        return this.#begin();
      case transactionWords.commit:
        return this.#commit();
      case transactionWords.rollback:
        return this.#rollback();
    }
    const name = values.length === 0 ? undefined : this.#options.nameOf(text);
    if (name === undefined) {
      await this.#sendHeld();
      return this.#sendUnnamed(text, values);
    }
    const statement = { name, text, values: sentValues(values) };
    if (!heldBack.has(values)) return this.#send([...this.#takeHeld(), statement]);
    this.#held.push(statement);
    return noRows("SELECT");
  }

  #begin(): StatementResult {
    this.#held = [{ name: "begin", text: this.#options.words.begin, values: [] }];
    this.#isBeginning = true;
    return noRows("BEGIN");
  }

  async #commit(): Promise<StatementResult> {
    if (this.#isBeginning && this.#held.length === 1) {
      this.#takeHeld();
      return noRows("COMMIT");
    }
    await this.#sendHeld();
    return this.#sendUnnamed(this.#options.words.commit, []);
  }

  async #rollback(): Promise<StatementResult> {
    const hasBegun = !this.#isBeginning;
    this.#takeHeld();
    return hasBegun ? this.#sendUnnamed(this.#options.words.rollback, []) : noRows("ROLLBACK");
  }

  #takeHeld(): readonly Statement[] {
    const held = this.#held;
    this.#held = [];
    this.#isBeginning = false;
    return held;
  }

  async #sendHeld(): Promise<void> {
    const held = this.#takeHeld();
    if (held.length > 0) await this.#send(held);
  }

  #send(statements: readonly Statement[]): Promise<StatementResult> {
    const running = new PreparedStatements(this.#client, this.#prepared, statements);
    return this.#client.query(running).result;
  }

  async #sendUnnamed(text: string, values: readonly unknown[]): Promise<StatementResult> {
    const { command, rowCount, rows } = await this.#client.query<object>(text, [...values]);
    return { command, rowCount: rowCount ?? 0, rows };
  }
}

function noRows(command: string): StatementResult {
  return { command, rowCount: 0, rows: [] };
}
