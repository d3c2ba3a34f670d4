import { silentLogger } from "@slipway/runtime";
import { createFakeClock, openTestDatabase, TcpProxy } from "@slipway/testkit";
import { expect, inject, it, onTestFinished } from "vitest";

import { type Database, openDatabase } from "../src/platform/db/database.ts";
import { waitForDatabase } from "../src/platform/db/wait-for-database.ts";

/** Returns a database behind a gate that a test opens; while closed, connections end immediately. */
async function openDoor(): Promise<{ readonly db: Database; readonly open: () => void }> {
  const opened = new AsyncDisposableStack();
  onTestFinished(() => opened.disposeAsync());
  const real = new URL(opened.use(await openTestDatabase(inject("postgresUrl"))).url);
  const host = real.searchParams.get("host");
  const port = Number(real.port || real.searchParams.get("port") || 5432);
  const target = host?.startsWith("/") === true ? { path: `${host}/.s.PGSQL.${port}` } : { port };
  let isOpen = false;
  const door = opened.use(await TcpProxy.open(() => (isOpen ? [target] : [])));
  const url = new URL(real);
  url.searchParams.delete("host");
  url.searchParams.delete("port");
  url.hostname = "127.0.0.1";
  url.port = String(door.port);
  const db = openDatabase({ url: url.href }, silentLogger);
  opened.defer(() => db.destroy());
  return { db, open: () => (isOpen = true) };
}

it("waits until PostgreSQL answers, and says once in half a minute what for", async () => {
  const { db, open } = await openDoor();
  const clock = createFakeClock(0);
  const said: string[] = [];
  const logger = { ...silentLogger, warn: (_: object, text: string) => void said.push(text) };
  const { signal } = new AbortController();
  let isOver = false;
  const waiting = waitForDatabase(db, { clock, logger, signal }).then(() => (isOver = true));
  await expect
    .poll(async () => {
      await clock.advance(1_000);
      return clock.now() > 29_000;
    })
    .toBe(true);
  expect([isOver, said.length]).toEqual([false, 1]);
  open();
  await expect
    .poll(async () => {
      await clock.advance(1_000);
      return isOver;
    })
    .toBe(true);
  await waiting;
});

it("ends with the signal's reason when the start is canceled", async () => {
  const { db } = await openDoor();
  const stop = new AbortController();
  const clock = createFakeClock(0);
  const waiting = waitForDatabase(db, { clock, logger: silentLogger, signal: stop.signal });
  const ended = expect(waiting).rejects.toThrow("enough");
  stop.abort(new Error("enough"));
  await ended;
});

it("leaves a refusal to the first statement: waiting does not help", async () => {
  await using database = await openTestDatabase(inject("postgresUrl"));
  const url = database.url.replace(/test_[0-9a-f]+/, "no_such_database");
  const db = openDatabase({ url }, silentLogger);
  const clock = createFakeClock(0);
  const { signal } = new AbortController();
  await waitForDatabase(db, { clock, logger: silentLogger, signal });
  await db.destroy();
});
