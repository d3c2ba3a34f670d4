import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { openEmbeddedPostgres } from "@slipway/postgres";
import { silentLogger, systemClock } from "@slipway/runtime";
import { migrate, openDatabase } from "@slipway/server";
import pg from "pg";

import { templateDatabase, urlOf } from "./test-database.ts";

/*
 * The PostgreSQL of a test run, as a process of its own: the embedded one in a directory of its own, or the one of
 * SLIPWAY_TEST_POSTGRES_URL. Makes a migrated database there to be copied, prints the URL, and ends with its input.
 */

await using opened = new AsyncDisposableStack();
const url = process.env["SLIPWAY_TEST_POSTGRES_URL"] ?? (await openTemporary());
await makeTemplate();
process.stdout.write(`${url}\n`);
await text(process.stdin);

async function openTemporary(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-test-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const postgres = opened.use(
    await openEmbeddedPostgres({
      dataDir,
      logger: silentLogger,
      clock: systemClock,
      signal: new AbortController().signal,
      isThrowaway: true,
    }),
  );
  const { host, port, user, database } = postgres.connection;
  return `postgres:///${database}?host=${encodeURIComponent(host)}&port=${port}&user=${user}`;
}

async function makeTemplate(): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`drop database if exists ${templateDatabase}`);
  await client.query(`create database ${templateDatabase}`);
  await client.end();
  const db = openDatabase({ url: urlOf(url, templateDatabase) }, silentLogger);
  await migrate(db);
  await db.destroy();
}
