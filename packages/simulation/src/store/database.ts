import type { Random } from "@slipway/testkit/random";

import type { Life } from "../engine/life.ts";
import type { Scheduler } from "../engine/scheduler.ts";
import { Deadlock, Outage } from "./errors.ts";
import { Locks } from "./locks.ts";
import { type Row, rowKey, type Table } from "./table.ts";
import { Transaction, type TransactionNeeds } from "./transaction.ts";

/** A change that became visible; the tables contain it. */
export interface Commit {
  readonly by: Life;
  readonly topics: ReadonlySet<string>;
}

export interface DatabaseOptions {
  readonly scheduler: Scheduler;
  readonly tables: readonly Table<Row>[];
  /** The duration of a statement, or of the answer to a commit, in milliseconds. */
  readonly delayMs: () => number;
  /** The probability that the connection breaks at a statement. */
  readonly breakChance: () => number;
}

/** The longest time before PostgreSQL notices that a replica has crashed, in milliseconds. */
const noticeMs = 3_000;

/** A database in memory: transactions, row locks, unique keys, and hints that are sent with the commit. */
export class Database {
  readonly #options: DatabaseOptions;
  readonly #random: Random;
  readonly #needs: TransactionNeeds;
  readonly #onCommit: ((commit: Commit) => void)[] = [];

  constructor(options: DatabaseOptions) {
    const { scheduler, tables, delayMs, breakChance } = options;
    this.#options = options;
    this.#random = scheduler.random;
    this.#needs = {
      locks: new Locks(),
      tables,
      nowMs: () => scheduler.nowMs,
      delayMs,
      breaks: () => scheduler.random.chance(breakChance()),
    };
  }

  /** Reports each commit, before anything else can happen. */
  onCommit(tell: (commit: Commit) => void): void {
    this.#onCommit.push(tell);
  }

  /** Reports whether an open transaction holds a row. */
  isLocked(table: Table<Row>, id: string): boolean {
    return this.#needs.locks.holder(rowKey(table, id)) !== undefined;
  }

  /** Reports each locked row. */
  onLock(tell: (key: string) => void): void {
    this.#needs.locks.onTaken = tell;
  }

  /** Runs a statement by itself: reads and writes in one instant. */
  async query<T>(life: Life, statement: (trx: Transaction) => T): Promise<T> {
    const trx = new Transaction(life, this.#needs);
    using _ = life.onEnd(() => trx.end());
    try {
      const result = await trx.run(() => {
        const value = statement(trx);
        this.#apply(trx);
        return value;
      });
      // Others see the change already, and the answer may never come.
      if (trx.hasWritten && this.#random.chance(0.2))
        await life.step(this.#options.delayMs(), () => undefined);
      return result;
    } finally {
      trx.end();
    }
  }

  /** Runs `work` in a transaction; restarts it when it yields in a deadlock. */
  async transaction<T>(life: Life, work: (trx: Transaction) => Promise<T>): Promise<T> {
    for (;;) {
      const trx = new Transaction(life, this.#needs);
      using _ = life.onEnd(() => this.#endLater(trx));
      try {
        const result = await work(trx);
        await this.#commit(trx);
        return result;
      } catch (error) {
        trx.end();
        if (!(error instanceof Deadlock)) throw error;
      }
    }
  }

  async #commit(trx: Transaction): Promise<void> {
    const { delayMs } = this.#needs;
    const commits = this.#needs.breaks() ? this.#random.pick(["lost", "unknown"]) : "known";
    await trx.life.step(delayMs(), () => {
      if (!trx.isOpen || commits === "lost") throw new Outage("connection broken");
      this.#apply(trx);
    });
    // Others see the change already, and the answer may never come.
    await trx.life.step(delayMs(), () => {
      if (commits === "unknown") throw new Outage("connection broken");
    });
  }

  #endLater(trx: Transaction): void {
    this.#options.scheduler.after(this.#random.between(0, noticeMs), () => trx.end());
  }

  #apply(trx: Transaction): void {
    trx.commit();
    if (!trx.hasWritten && trx.topics.size === 0) return;
    for (const tell of this.#onCommit) tell({ by: trx.life, topics: trx.topics });
  }
}
