import type { Life } from "../engine/life.ts";
import { Deadlock, Outage, UniqueViolation } from "./errors.ts";
import type { Locks } from "./locks.ts";
import { type Row, rowKey, type Table } from "./table.ts";

/** The dependencies of a transaction on its database. */
export interface TransactionNeeds {
  readonly locks: Locks;
  readonly tables: readonly Table<Row>[];
  readonly nowMs: () => number;
  /** The duration of the next statement, in milliseconds. */
  readonly delayMs: () => number;
  /** Reports whether the connection breaks now. */
  readonly breaks: () => boolean;
}

/** The exception with which a statement stops at another's lock; it runs again when the lock is released. */
class LockConflict {
  readonly key: string;

  constructor(key: string) {
    this.key = key;
  }
}

/**
 * A transaction like PostgreSQL's READ COMMITTED: each statement sees the rows committed at its start and this
 * transaction's own writes; changed rows are locked until the end. A statement is one step.
 */
export class Transaction {
  readonly life: Life;
  /** The value of `now()`: the transaction's start. */
  readonly nowMs: number;
  readonly topics = new Set<string>();
  readonly #needs: TransactionNeeds;
  #isOpen = true;
  #hasWritten = false;

  constructor(life: Life, needs: TransactionNeeds) {
    this.life = life;
    this.#needs = needs;
    this.nowMs = needs.nowMs();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get hasWritten(): boolean {
    return this.#hasWritten;
  }

  /** Runs a statement as a step, and again if it had to wait for a lock. It locks before it writes. */
  async run<T>(statement: () => T): Promise<T> {
    for (;;) {
      const { delayMs } = this.#needs;
      const outcome = await this.life.step(delayMs(), () => this.#try(statement));
      if (!(outcome instanceof LockConflict)) return outcome;
      if (!(await this.#needs.locks.wait(outcome.key, this))) throw new Deadlock("deadlock");
    }
  }

  #try<T>(statement: () => T): T | LockConflict {
    if (!this.#isOpen || this.#needs.breaks()) {
      this.end();
      throw new Outage("connection broken");
    }
    try {
      return statement();
    } catch (error) {
      if (error instanceof LockConflict) return error;
      throw error;
    }
  }

  get<R extends Row>(table: Table<R>, id: string): R | undefined {
    return table.get(id, this);
  }

  all<R extends Row>(table: Table<R>): readonly R[] {
    return table.all(this);
  }

  /** Locks a row until the transaction ends, waiting for its holder. */
  lock<R extends Row>(table: Table<R>, id: string): R | undefined {
    this.#take(rowKey(table, id));
    return table.get(id, this);
  }

  /** Locks a row unless another transaction holds it. */
  tryLock<R extends Row>(table: Table<R>, id: string): boolean {
    return this.tryAdvisoryLock(rowKey(table, id));
  }

  tryAdvisoryLock(key: string): boolean {
    return this.#needs.locks.take(key, this) === "taken";
  }

  /** Changes a row as of its locking; `undefined` leaves it alone. Resolves to true if it was changed. */
  update<R extends Row>(
    table: Table<R>,
    id: string,
    change: (row: R) => Partial<R> | undefined,
  ): boolean {
    const row = this.lock(table, id);
    const changed = row === undefined ? undefined : change(row);
    if (row === undefined || changed === undefined) return false;
    this.#write(table, { ...row, ...changed });
    return true;
  }

  insert<R extends Row>(table: Table<R>, row: R): void {
    this.#take(rowKey(table, row.id));
    this.#write(table, row);
  }

  /** Sends a hint with the commit. */
  notify(topic: string): void {
    this.topics.add(topic);
  }

  /** Ends the transaction; uncommitted changes are dropped. Idempotent. */
  end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const table of this.#needs.tables) table.rollBack(this);
    this.#needs.locks.releaseAll(this);
  }

  /** Makes its changes visible in one instant. */
  commit(): void {
    for (const table of this.#needs.tables) table.commit(this);
    this.end();
  }

  #write<R extends Row>(table: Table<R>, row: R): void {
    for (const key of table.uniqueKeys(row)) {
      this.#take(`${table.name} ${key}`);
      const isTaken = table
        .all(this)
        .some((other) => other.id !== row.id && table.uniqueKeys(other).includes(key));
      if (isTaken) throw new UniqueViolation(key);
    }
    table.write(row, this);
    this.#hasWritten = true;
  }

  #take(key: string): void {
    // oxlint-disable-next-line typescript/only-throw-error -- no failure, and a stack would cost more than the statement
    if (this.#needs.locks.take(key, this) !== "taken") throw new LockConflict(key);
  }
}
