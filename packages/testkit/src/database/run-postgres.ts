import { mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { openEmbeddedPostgres } from "@slipway/postgres";
import { silentLogger, systemClock } from "@slipway/runtime";
import { migrate, openDatabase } from "@slipway/server";
import pg from "pg";

import { socketUrl } from "./postgres-url.ts";
import { templateDatabase, urlOf, withClient } from "./test-database.ts";

/*
 * The PostgreSQL process of a test run: the embedded one in its own directory, or the server of
 * SLIPWAY_TEST_POSTGRES_URL. Creates a migrated template database, prints the URL, and exits when its input ends.
 */

await using opened = new AsyncDisposableStack();
const url = process.env["SLIPWAY_TEST_POSTGRES_URL"] ?? (await openTemporary());
await makeTemplate();
process.stdout.write(`${url}\n`);
await text(process.stdin);

async function openTemporary(): Promise<string> {
  const dataDir = await mkdtemp(join(await scratchDirectory(), "slipway-test-"));
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
  const ours = socketUrl(postgres.connection);
  await copyInKernel(ours);
  return ours;
}

/** Finds a directory in memory for the databases, on Linux: copying one there takes a fifth of the processor time. */
async function scratchDirectory(): Promise<string> {
  const memory = "/dev/shm";
  // Room for the databases and the log of a run.
  const roomBytes = 2 * 1024 ** 3;
  const room = await statfs(memory).catch(() => undefined);
  return room !== undefined && room.bavail * room.bsize >= roomBytes ? memory : tmpdir();
}

/** Lets the kernel copy the files of databases, where the kernel and the file system support it. */
async function copyInKernel(own: string): Promise<void> {
  await withClient(own, async (client) => {
    try {
      await client.query("set file_copy_method = clone");
      await client.query("create database probe strategy file_copy");
      await client.query("alter role current_user set file_copy_method = clone");
      await client.query("drop database probe");
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
    }
  });
}

async function makeTemplate(): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(`drop database if exists ${templateDatabase}`);
    await client.query(`create database ${templateDatabase}`);
  });
  const db = openDatabase({ url: urlOf(url, templateDatabase) }, silentLogger);
  await migrate(db);
  await db.destroy();
}
