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
 * The PostgreSQL of a test run, as a process of its own: the embedded one in a directory of its own, or the one of
 * SLIPWAY_TEST_POSTGRES_URL. Makes a migrated database there to be copied, prints the URL, and ends with its input.
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

/** Finds memory for the databases, where Linux has it as a directory: to copy one there takes a fifth of the processor. */
async function scratchDirectory(): Promise<string> {
  const memory = "/dev/shm";
  // For the databases and the log of a run.
  const roomBytes = 2 * 1024 ** 3;
  const room = await statfs(memory).catch(() => undefined);
  return room !== undefined && room.bavail * room.bsize >= roomBytes ? memory : tmpdir();
}

/** Lets the kernel copy the files of databases, if it and the file system can. */
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
