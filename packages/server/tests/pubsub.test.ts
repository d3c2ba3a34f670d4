import { randomUUID } from "node:crypto";

import { silentLogger, systemClock } from "@slipway/runtime";
import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { countHints, describePubSub } from "@slipway/testkit/compliance";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, inject, it, onTestFinished } from "vitest";

import { connectionOptions } from "../src/platform/db/database.ts";
import { PostgresPubSub } from "../src/platform/pubsub/postgres-pubsub.ts";

/** Opens a replica that is already listening. */
async function openReplica({ db, url }: TestDatabase): Promise<PostgresPubSub> {
  const pubsub = new PostgresPubSub({
    db,
    connection: connectionOptions({ url }),
    replicaId: randomUUID(),
    clock: systemClock,
    logger: silentLogger,
  });
  // Subscribers from before it listens get a hint when it does.
  using listening = countHints(pubsub, "any");
  await listening.next();
  return pubsub;
}

describePubSub("on PostgreSQL", async () => {
  const database = await openTestDatabase(inject("postgresUrl"));
  return {
    openReplica: () => openReplica(database),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
});

describe("hints by LISTEN and NOTIFY", () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await openTestDatabase(inject("postgresUrl"));
  });

  afterEach(() => database[Symbol.asyncDispose]());

  async function openTwo(): Promise<readonly [PostgresPubSub, PostgresPubSub]> {
    const [one, two] = await Promise.all([openReplica(database), openReplica(database)]);
    for (const pubsub of [one, two]) onTestFinished(() => pubsub[Symbol.asyncDispose]());
    return [one, two];
  }

  /** Terminates the listening connections. */
  async function cutListeners(): Promise<number> {
    const { rows } = await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query ilike 'listen %'`.execute(database.db);
    return rows.length;
  }

  it("gathers the hints of one moment and does not repeat its own", async () => {
    const [one, two] = await openTwo();
    using own = countHints(one, "a");
    using other = countHints(two, "a");
    using last = countHints(two, "last");
    const done = last.next();
    for (let count = 0; count < 10; count += 1) one.publish("a");
    one.publish("last");
    await done;
    expect(own.count).toBe(10);
    expect(other.count).toBe(1);
  });

  it("carries more topics than one notification holds", async () => {
    const [one, two] = await openTwo();
    const topics = Array.from({ length: 500 }, () => `workspace:${randomUUID()}`);
    const hints = topics.map((topic) => countHints(two, topic));
    const all = Promise.all(hints.map((hint) => hint.next()));
    for (const topic of topics) one.publish(topic);
    await all;
    expect(hints.map((hint) => hint.count)).toEqual(topics.map(() => 1));
  });

  it("hints every subscriber after a lost connection, and goes on", async () => {
    const [one, two] = await openTwo();
    using own = countHints(one, "a");
    using other = countHints(two, "a");
    const hinted = Promise.all([own.next(), other.next()]);
    expect(await cutListeners()).toBe(2);
    // Hints sent in between are lost; all subscribers reading again makes up for that.
    await hinted;
    const again = other.next();
    one.publish("a");
    await again;
  });

  it("carries a hint that is published while another is on its way", async () => {
    const begun = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const db = database.db.withPlugin({
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => {
        begun.resolve();
        await answer.promise;
        return result;
      },
    });
    const [one, two] = [await openReplica({ ...database, db }), await openReplica(database)];
    for (const pubsub of [one, two]) onTestFinished(() => pubsub[Symbol.asyncDispose]());
    using later = countHints(two, "later");
    const hinted = later.next();
    one.publish("first");
    await begun.promise;
    one.publish("later");
    answer.resolve();
    await hinted;
  });

  it("carries the hints that are published right before its end", async () => {
    const [one, two] = await openTwo();
    using other = countHints(two, "a");
    const hinted = other.next();
    one.publish("a");
    await one[Symbol.asyncDispose]();
    await hinted;
  });
});
