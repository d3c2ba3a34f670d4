import { silentLogger } from "@slipway/runtime";
import { openTestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { expect, inject, it } from "vitest";

import { openDatabase } from "../src/platform/db/database.ts";
import { migrate } from "../src/platform/db/migrate.ts";
import { migrations } from "../src/platform/db/migrations/migrations.ts";

const names = Object.keys(migrations);

it("migrates once, though 3 replicas start on an empty database at the same time", async () => {
  await using database = await openTestDatabase(inject("postgresUrl"));
  await sql`drop schema public cascade`.execute(database.db);
  await sql`create schema public`.execute(database.db);
  const { url } = database;
  const replicas = Array.from({ length: 3 }, () => openDatabase({ url }, silentLogger));
  const applied = await Promise.all(replicas.map((replica) => migrate(replica)));
  await Promise.all(replicas.map((replica) => replica.destroy()));
  expect(applied.toSorted((a, b) => a.length - b.length)).toEqual([[], [], names]);
  const users = await database.db.selectFrom("users").selectAll().execute();
  expect(users.map(({ username, is_system }) => [username, is_system])).toEqual([
    ["prebuilds", true],
  ]);
  expect(await migrate(database.db)).toEqual([]);
});

it("says that PostgreSQL cannot be reached, and that trying again may help", async () => {
  await using database = await openTestDatabase(inject("postgresUrl"));
  const url = database.url.replace(/test_[0-9a-f]+/, "no_such_database");
  const db = openDatabase({ url }, silentLogger);
  await expect(migrate(db)).rejects.toMatchObject({
    name: "DatabaseError",
    code: "unreachable",
    retryable: true,
  });
  await db.destroy();
});

it("says that a newer release has migrated the database", async () => {
  await using database = await openTestDatabase(inject("postgresUrl"));
  for (const name of ["9998-of-tomorrow", "9999-of-the-day-after"]) {
    await sql`insert into kysely_migration values (${name}, '')`.execute(database.db);
  }
  await expect(migrate(database.db)).rejects.toMatchObject({
    name: "DatabaseError",
    code: "too-new",
    message:
      "the database was migrated by a newer release of Slipway (9998-of-tomorrow, 9999-of-the-day-after); " +
      "run that release or a newer one, or restore a backup from before the upgrade",
    retryable: false,
  });
});
