import { randomUUID } from "node:crypto";

import { silentLogger, systemClock } from "@slipway/runtime";
import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, inject, onTestFinished, test } from "vitest";

import { connectionOptions } from "../src/platform/db/database.ts";
import { PostgresPubSub } from "../src/platform/pubsub/postgres-pubsub.ts";

let database: TestDatabase;

beforeEach(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
});

afterEach(() => database[Symbol.asyncDispose]());

/** Opens a replica that is already listening. */
async function openReplica(): Promise<PostgresPubSub> {
  const pubsub = new PostgresPubSub({
    db: database.db,
    connection: connectionOptions({ url: database.url }),
    replicaId: randomUUID(),
    clock: systemClock,
    logger: silentLogger,
  });
  onTestFinished(() => pubsub[Symbol.asyncDispose]());
  // Listeners that subscribed before it listens are hinted when it does.
  using listening = listen(pubsub, "any");
  await listening.next();
  return pubsub;
}

interface Hints extends Disposable {
  /** Resolves at the next hint. */
  next(): Promise<void>;
  readonly count: number;
}

function listen(pubsub: PostgresPubSub, topic: string): Hints {
  let waiting = Promise.withResolvers<void>();
  let count = 0;
  const subscription = pubsub.subscribe(topic, () => {
    count += 1;
    waiting.resolve();
    waiting = Promise.withResolvers();
  });
  return {
    next: () => waiting.promise,
    get count() {
      return count;
    },
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  };
}

/** Terminates the listening connections. */
async function cutListeners(): Promise<number> {
  const { rows } = await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and query ilike 'listen %'`.execute(database.db);
  return rows.length;
}

test("hints at once in the replica itself, and soon in the others", async () => {
  const [one, two] = await Promise.all([openReplica(), openReplica()]);
  using own = listen(one, "a");
  using other = listen(two, "a");
  using elsewhere = listen(two, "b");
  const hinted = other.next();
  one.publish("a");
  expect(own.count).toBe(1);
  await hinted;
  expect(other.count).toBe(1);
  expect(elsewhere.count).toBe(0);
});

test("gathers the hints of one moment and does not repeat its own", async () => {
  const [one, two] = await Promise.all([openReplica(), openReplica()]);
  using own = listen(one, "a");
  using other = listen(two, "a");
  using last = listen(two, "last");
  const done = last.next();
  for (let count = 0; count < 10; count += 1) one.publish("a");
  one.publish("last");
  await done;
  expect(own.count).toBe(10);
  expect(other.count).toBe(1);
});

test("carries more topics than one notification holds", async () => {
  const [one, two] = await Promise.all([openReplica(), openReplica()]);
  const topics = Array.from({ length: 500 }, () => `workspace:${randomUUID()}`);
  const hints = topics.map((topic) => listen(two, topic));
  const all = Promise.all(hints.map((hint) => hint.next()));
  for (const topic of topics) one.publish(topic);
  await all;
  expect(hints.map((hint) => hint.count)).toEqual(topics.map(() => 1));
});

test("hints every subscriber after a lost connection, and goes on", async () => {
  const [one, two] = await Promise.all([openReplica(), openReplica()]);
  using own = listen(one, "a");
  using other = listen(two, "a");
  const hinted = Promise.all([own.next(), other.next()]);
  expect(await cutListeners()).toBe(2);
  // Hints sent in between are lost; everyone looking again makes up for that.
  await hinted;
  const again = other.next();
  one.publish("a");
  await again;
});
