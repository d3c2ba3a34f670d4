import { silentLogger } from "@slipway/runtime";
import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from "vitest";

import { type Database, openDatabase, type Queryable } from "../src/platform/db/database.ts";
import { isOutage, sqlStateOf } from "../src/platform/db/errors.ts";
import { prepareQuery } from "../src/platform/db/prepared-query.ts";
import { PreparedStatements } from "../src/platform/db/prepared-statements.ts";

let database: TestDatabase;
/** A separate pool for each test: statements outside transactions use the same connection. */
let db: Database;

beforeAll(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
});

afterAll(() => database[Symbol.asyncDispose]());

beforeEach(async () => {
  db = openDatabase({ url: database.url }, silentLogger);
  await sql`drop table if exists things`.execute(db);
  await sql`create table things (id int primary key, name text)`.execute(db);
});

afterEach(() => db.destroy());

async function insert(on: Queryable, id: number, name: string | null): Promise<bigint | undefined> {
  const { numAffectedRows } = await sql`insert into things values (${id}, ${name})`.execute(on);
  return numAffectedRows;
}

async function all(on: Queryable = db): Promise<readonly unknown[]> {
  return (await sql`select * from things where id >= ${0} order by id`.execute(on)).rows;
}

async function codeOf(failing: Promise<unknown>): Promise<string | undefined> {
  return failing.then(() => undefined, sqlStateOf);
}

it("reads rows of prepared statements, and of none, at every use", async () => {
  for (const expected of [[], [{ id: 1, name: null }]]) {
    expect(await all()).toEqual(expected);
    expect(await all()).toEqual(expected);
    await sql`insert into things values (${1}, ${null}) on conflict do nothing`.execute(db);
  }
  expect(await insert(db, 2, "two")).toBe(1n);
  expect(await insert(db, 3, `'"\\ \n\u{1f6a2}`)).toBe(1n);
  expect(await all()).toEqual([
    { id: 1, name: null },
    { id: 2, name: "two" },
    { id: 3, name: `'"\\ \n\u{1f6a2}` },
  ]);
});

it("prepares a statement again that failed at its first use", async () => {
  await insert(db, 1, "one");
  const again = (on: Queryable, id: number) =>
    sql`insert into things (id) values (${id}) returning id as made`.execute(on);
  expect(await codeOf(again(db, 1))).toBe("23505");
  expect((await again(db, 2)).rows).toEqual([{ made: 2 }]);
  expect(await codeOf(again(db, 2))).toBe("23505");
  expect((await again(db, 3)).rows).toEqual([{ made: 3 }]);
});

it("prepares a statement again whose columns have changed", async () => {
  await insert(db, 1, "one");
  expect(await all()).toEqual([{ id: 1, name: "one" }]);
  await sql`alter table things add column size int default 7`.execute(db);
  expect(await codeOf(all())).toBe("0A000");
  expect(await all()).toEqual([{ id: 1, name: "one", size: 7 }]);
});

it("runs all statements of a transaction in it, whichever is the first", async () => {
  const failure = new Error("undo");
  const undone = (work: (trx: Queryable) => Promise<unknown>): Promise<unknown> =>
    db.transaction().execute(async (trx) => {
      await work(trx);
      throw failure;
    });
  await expect(undone((trx) => insert(trx, 1, "one"))).rejects.toBe(failure);
  await expect(undone((trx) => insert(trx, 1, "one"))).rejects.toBe(failure);
  await expect(
    undone((trx) => sql`insert into things values (1, 'plain')`.execute(trx)),
  ).rejects.toBe(failure);
  expect(await all()).toEqual([]);
  await db.transaction().execute(async (trx) => {
    await insert(trx, 1, "one");
    await insert(trx, 2, "two");
    expect(await all(trx)).toHaveLength(2);
    expect(await all()).toHaveLength(0);
  });
  expect(await all()).toHaveLength(2);
});

it("rolls a transaction back whose first statement failed", async () => {
  await insert(db, 1, "one");
  const twice = db.transaction().execute(async (trx) => insert(trx, 1, "two"));
  expect(await codeOf(twice)).toBe("23505");
  await db.transaction().execute((trx) => insert(trx, 2, "two"));
  expect(await all()).toHaveLength(2);
});

it("begins no transaction for no statements", async () => {
  await db.transaction().execute(async () => undefined);
  await expect(db.transaction().execute(() => Promise.reject(new Error("no")))).rejects.toThrow(
    "no",
  );
  // Outside a transaction, each statement has its own time.
  await insert(db, 1, "one");
  const open = await sql`
    select from pg_stat_activity
      where datname = current_database() and state = 'idle in transaction' and 1 = ${1}`.execute(
    db,
  );
  expect(open.rows).toEqual([]);
});

const store = prepareQuery(
  (_, id: number, name: string | null) => sql`insert into things values (${id}, ${name})`,
  { sentWithNext: true },
);

it("sends statements that are held back with the next one, and before the end", async () => {
  for (const first of [1, 3]) {
    await db.transaction().execute(async (trx) => {
      await store(trx, first, "held");
      expect(await all(trx)).toHaveLength(first);
      await store(trx, first + 1, "held, too");
    });
  }
  await db.transaction().execute(async (trx) => {
    await store(trx, 5, "held");
    await sql`update things set name = 'plain' where id = 5`.execute(trx);
  });
  expect((await all()).at(-1)).toEqual({ id: 5, name: "plain" });
  // Outside a transaction no statement is held back.
  await store(db, 6, "at once");
  expect(await all()).toHaveLength(6);
});

it("undoes statements that are held back", async () => {
  const undone = db.transaction().execute(async (trx) => {
    await store(trx, 1, "held");
    throw new Error("undo");
  });
  await expect(undone).rejects.toThrow("undo");
  await store(db, 2, "other");
  expect(await all()).toEqual([{ id: 2, name: "other" }]);
});

it("fails in the next statement, or at the end, for a statement that was held back", async () => {
  await insert(db, 1, "one");
  const next = db.transaction().execute(async (trx) => {
    await store(trx, 1, "twice");
    return all(trx);
  });
  expect(await codeOf(next)).toBe("23505");
  const end = db.transaction().execute(async (trx) => {
    await all(trx);
    await store(trx, 1, "twice");
  });
  expect(await codeOf(end)).toBe("23505");
  expect(await all()).toHaveLength(1);
});

it("sends no statement with a value that has no text, and no transaction either", async () => {
  const endless: Record<string, unknown> = {};
  endless["self"] = endless;
  const fail = (on: Queryable) =>
    sql`insert into things (id, name) values (${1}, ${endless})`.execute(on);
  await expect(fail(db)).rejects.toThrow("circular");
  await expect(db.transaction().execute(fail)).rejects.toThrow("circular");
  expect(await all()).toEqual([]);
});

it("fails for a value that cannot be read, and for that statement only", async () => {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const parsers = { getTypeParser: () => readEven };
  const prepared = new Map();
  const read = async (value: string): Promise<unknown> => {
    const statement = { name: "read", text: "select $1::text as even", values: [value] };
    const { rows } = await client.query(new PreparedStatements(parsers, prepared, [statement]))
      .result;
    return rows;
  };
  await expect(read("1")).rejects.toThrow("odd");
  await expect(read("3")).rejects.toThrow("odd");
  expect(await read("2")).toEqual([{ even: 2 }]);
  await client.end();
});

function readEven(text: string): number {
  if (Number(text) % 2 === 0) return Number(text);
  throw new RangeError(`${text} is odd`);
}

it("fails for a lost connection, and goes on with another", async () => {
  const lost = db.transaction().execute(async (trx) => {
    await insert(trx, 1, "one");
    await sql`select pg_terminate_backend(pg_backend_pid()), ${1}::int`.execute(trx);
  });
  expect(isOutage(await lost.catch((error: unknown) => error))).toBe(true);
  await insert(db, 1, "one");
  expect(await all()).toEqual([{ id: 1, name: "one" }]);
});
