import { randomUUID } from "node:crypto";

import type { Database } from "@slipway/server";
import type { UserCaller } from "@slipway/server/claims";
import { ClaimStage, type Work } from "@slipway/testkit";

import { type Beginning, type HistoryWorld, users, versions } from "./history-world.ts";
import { nameRows } from "./name-rows.ts";
import { Names } from "./names.ts";
import { openRollbackDatabase } from "./rollback-database.ts";
import { readViews, type Snapshot } from "./snapshot.ts";
import { readSqlRows } from "./sql-rows.ts";
import type { SqlSession, SqlState } from "./sql-state.ts";
import { takeSqlStep } from "./sql-steps.ts";
import { sqlViews } from "./sql-views.ts";
import type { Step } from "./step.ts";
import { TimeShift } from "./time-shift.ts";

/** PostgreSQL with the production services and statements, in one transaction in which only `pass` advances time. */
export class SqlWorld implements HistoryWorld, SqlState {
  readonly stage: ClaimStage;
  readonly names: Names;
  readonly callers: ReadonlyMap<string, UserCaller>;
  readonly works = new Map<string, Work>();
  readonly sessions = new Map<string, SqlSession>();
  readonly time: TimeShift;
  readonly #opened: AsyncDisposable;

  private constructor(
    stage: ClaimStage,
    names: Names,
    callers: ReadonlyMap<string, UserCaller>,
    { time, opened }: { readonly time: TimeShift; readonly opened: AsyncDisposable },
  ) {
    this.stage = stage;
    this.names = names;
    this.callers = callers;
    this.time = time;
    this.#opened = opened;
  }

  /** Opens a world in a migrated database, in which it leaves no trace. */
  static async open(
    url: string,
    { driver, agentNames, instances, expireAfterSeconds }: Beginning,
  ): Promise<SqlWorld> {
    await using opening = new AsyncDisposableStack();
    const { db } = opening.use(await openRollbackDatabase(url));
    const pool = { instances, expireAfterSeconds };
    const stage = await ClaimStage.open(db, { driver, agentNames, pool });
    const names = new Names();
    const [first, second] = versions;
    for (const [name, { id, presetId }] of [
      [first, stage.version],
      [second, await stage.pushVersion()],
    ] as const) {
      names.add(id, name);
      names.add(presetId, `preset of ${name}`);
    }
    const callers = new Map([["admin", stage.admin]]);
    for (const name of users) callers.set(name, await stage.addUser(name));
    for (const [name, { id }] of callers) names.add(id, name);
    for (const name of ["worker-1", "worker-2"]) names.add(randomUUID(), name);
    const time = await TimeShift.open(db);
    return new SqlWorld(stage, names, callers, { time, opened: opening.move() });
  }

  get db(): Database {
    return this.stage.needs.db;
  }

  pass(ms: number): Promise<void> {
    for (const session of this.sessions.values()) session.ageMs += ms;
    return this.time.pass(ms);
  }

  take(step: Step): Promise<string> {
    return takeSqlStep(this, step);
  }

  async read(turn: number): Promise<Snapshot> {
    const rows = await readSqlRows(this);
    const named = nameRows(this.names, rows);
    return { ...named, views: await readViews(sqlViews(this, rows), turn) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened[Symbol.asyncDispose]();
  }
}
