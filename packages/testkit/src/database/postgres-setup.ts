import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { silentLogger, systemClock } from "@slipway/runtime";
import { migrate, openDatabase, openEmbeddedPostgres } from "@slipway/server";
import pg from "pg";
import type { TestProject } from "vitest/node";

import { templateDatabase, urlOf } from "./test-database.ts";

/**
 * Gives a test run its PostgreSQL: the embedded one in a directory of its own, or the one of `SLIPWAY_TEST_POSTGRES_URL`. A
 * migrated database stands ready there to be copied.
 */
// oxlint-disable-next-line import/no-default-export -- vitest calls the default export of a global setup
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env["SLIPWAY_TEST_POSTGRES_URL"];
  const opened = new AsyncDisposableStack();
  const url = given ?? (await openTemporary(opened));
  await makeTemplate(url);
  project.provide("postgresUrl", url);
  return () => opened.disposeAsync();
}

async function openTemporary(opened: AsyncDisposableStack): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-test-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const postgres = opened.use(
    await openEmbeddedPostgres({
      dataDir,
      logger: silentLogger,
      clock: systemClock,
      signal: new AbortController().signal,
    }),
  );
  const { host, port, user, database } = postgres.connection;
  return `postgres://${user}@/${database}?host=${encodeURIComponent(host)}&port=${port}`;
}

async function makeTemplate(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`drop database if exists ${templateDatabase}`);
  await client.query(`create database ${templateDatabase}`);
  await client.end();
  const db = openDatabase({ url: urlOf(url, templateDatabase) }, silentLogger);
  await migrate(db);
  await db.destroy();
}
