import { randomUUID } from "node:crypto";

import { type LogFields, silentLogger } from "@slipway/runtime";
import {
  createFakeClock,
  openTestDatabase,
  postgresTarget,
  postgresUrlAt,
  TcpProxy,
} from "@slipway/testkit";
import { countHints } from "@slipway/testkit/compliance";
import { sql } from "kysely";
import { expect, inject, it, onTestFinished } from "vitest";

import { DatabaseConnections } from "../src/platform/db/connections.ts";
import { connectionOptions, type Database, openDatabase } from "../src/platform/db/database.ts";
import { isOutage } from "../src/platform/db/errors.ts";
import { PostgresPubSub } from "../src/platform/pubsub/postgres-pubsub.ts";

/** Opens a database that hangs once `hang` is called, and its connections on a fake clock. */
async function openHanging() {
  const opened = new AsyncDisposableStack();
  onTestFinished(() => opened.disposeAsync());
  const { url } = opened.use(await openTestDatabase(inject("postgresUrl")));
  const proxy = opened.use(await TcpProxy.open(() => [postgresTarget(url)]));
  const address = { url: postgresUrlAt(url, proxy.port) };
  const clock = createFakeClock();
  const warnings: LogFields[] = [];
  const logger = { ...silentLogger, warn: (fields: LogFields) => void warnings.push(fields) };
  const connections = new DatabaseConnections({ clock, logger });
  const db = openDatabase(address, logger, { connections });
  const hang = (): void => {
    for (const link of proxy.links) link.stall();
  };
  return { address, clock, warnings, connections, db, hang };
}

/** Sends a statement; resolves to whether it failed because of an outage. */
async function ask(db: Database): Promise<boolean> {
  try {
    await sql`select 1`.execute(db);
    return false;
  } catch (error) {
    return isOutage(error);
  }
}

it("gives up on a database that does not answer while the server ends, and says so once", async () => {
  const { clock, warnings, connections, db, hang } = await openHanging();
  await Promise.all([ask(db), ask(db), ask(db)]);
  hang();
  const asked = [ask(db), ask(db)];
  await clock.advance(60_000);
  expect(connections.isAbandoned).toBe(false);
  connections.limitSilence();
  await clock.advance(7_500);
  expect(connections.isAbandoned).toBe(false);
  await clock.advance(1_000);
  expect(await Promise.all(asked)).toEqual([true, true]);
  // Later queries fail immediately.
  expect(await ask(db)).toBe(true);
  await db.destroy();
  await connections[Symbol.asyncDispose]();
  expect(warnings).toEqual([expect.objectContaining({ statements: 2 })]);
});

it("waits as long as the database answers, or nobody asks it", async () => {
  const { clock, warnings, connections, db } = await openHanging();
  connections.limitSilence();
  for (let round = 0; round < 3; round += 1) {
    expect(await ask(db)).toBe(false);
    await clock.advance(7_500);
  }
  await clock.advance(60_000);
  expect(await ask(db)).toBe(false);
  await db.destroy();
  await connections[Symbol.asyncDispose]();
  expect(warnings).toEqual([]);
});

it("does not wait for the end of connections to a database that hangs", async () => {
  const { clock, connections, db, hang } = await openHanging();
  await ask(db);
  hang();
  await db.destroy();
  const closed = connections[Symbol.asyncDispose]();
  await clock.advance(1_000);
  await closed;
});

it("stops listening to a database that hangs", async () => {
  const { address, clock, connections, db, hang } = await openHanging();
  const pubsub = new PostgresPubSub({
    db,
    connection: connectionOptions(address),
    replicaId: randomUUID(),
    clock,
    logger: silentLogger,
  });
  using listening = countHints(pubsub, "any");
  await listening.next();
  hang();
  const closed = pubsub[Symbol.asyncDispose]();
  await clock.advance(1_000);
  await closed;
  await db.destroy();
  await connections[Symbol.asyncDispose]();
});
