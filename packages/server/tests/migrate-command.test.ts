import { openTestDatabase, TcpProxy, postgresTarget, postgresUrlAt } from "@slipway/testkit";
import { sql } from "kysely";
import { expect, inject, it } from "vitest";

import { runMigrateDatabase } from "../src/main/migrate-database.ts";
import { migrations } from "../src/platform/db/migrations/migrations.ts";

async function run(url: string | undefined, signal = new AbortController().signal) {
  let err = "";
  const environment = { SLIPWAY_POSTGRES_URL: url };
  const stderr = (text: string): void => void (err += text);
  const code = await runMigrateDatabase({ flags: {}, environment, stderr, signal });
  return { code, err };
}

it("migrates an empty database once, however often it runs at the same time", async () => {
  await using database = await openTestDatabase(inject("postgresUrl"));
  await sql`drop schema public cascade`.execute(database.db);
  await sql`create schema public`.execute(database.db);
  const ended = await Promise.all([run(database.url), run(database.url), run(database.url)]);
  expect(ended.map(({ code }) => code)).toEqual([0, 0, 0]);
  const texts = ended.map(({ err }) => err).toSorted();
  const count = Object.keys(migrations).length;
  expect(texts[0]).toMatch(new RegExp(`^applied ${count} migrations: 0001-foundation, `));
  expect(texts.slice(1)).toEqual(Array(2).fill("the database is up to date\n"));
  expect(await database.db.selectFrom("users").selectAll().execute()).toHaveLength(1);
});

it("fails with the reason on a database of a newer release, and changes nothing", async () => {
  await using database = await openTestDatabase(inject("postgresUrl"));
  await sql`insert into kysely_migration values ('9999-of-tomorrow', '')`.execute(database.db);
  expect(await run(database.url)).toEqual({
    code: 1,
    err: expect.stringContaining("migrated by a newer release of Slipway (9999-of-tomorrow)"),
  });
});

it("fails with what to do without a database to migrate", async () => {
  expect(await run(undefined)).toEqual({
    code: 1,
    err: expect.stringContaining("set SLIPWAY_POSTGRES_URL"),
  });
  const wrong = await run("mysql://x");
  expect(wrong).toEqual({ code: 1, err: expect.stringContaining("SLIPWAY_POSTGRES_URL") });
});

it("waits for a database that does not answer yet", async () => {
  await using database = await openTestDatabase(inject("postgresUrl"));
  const target = postgresTarget(database.url);
  let isOpen = false;
  let refused = 0;
  await using door = await TcpProxy.open(() => {
    if (!isOpen) refused += 1;
    return isOpen ? [target] : [];
  });
  const running = run(postgresUrlAt(database.url, door.port));
  await expect.poll(() => refused, { timeout: 30_000 }).toBeGreaterThan(1);
  isOpen = true;
  expect(await running).toEqual({ code: 0, err: "the database is up to date\n" });
});
