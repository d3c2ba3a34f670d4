import { randomUUID } from "node:crypto";

import { createFakeClock, openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { afterEach, beforeEach, expect, inject, test } from "vitest";

import { markConnected } from "../src/agents/connection-queries.ts";
import { GatheredHeartbeat } from "../src/agents/heartbeat.ts";
import { selectAgent } from "../src/agents/read-queries.ts";
import { seedAgent, seedBuild, seedWorkspace } from "./support/rows.ts";

let database: TestDatabase;

beforeEach(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
});

afterEach(() => database[Symbol.asyncDispose]());

test("notes all sessions that beat together, and tells those whose build is outdated", async () => {
  const { db } = database;
  const place = await seedWorkspace(db);
  const old = await seedBuild(db, place, { number: 1, transition: "start", job: "succeeded" });
  const outdated = await seedAgent(db, old);
  const build = await seedBuild(db, place, { number: 2, transition: "start", job: "succeeded" });
  const current = await seedAgent(db, build);
  const sessions = [outdated, current].map((agentId) => ({
    agentId,
    connectionId: randomUUID(),
    replicaId: randomUUID(),
  }));
  for (const session of sessions) await markConnected(db, session);
  const before = await selectAgent(db, current);

  const clock = createFakeClock();
  await using heartbeat = new GatheredHeartbeat(db, clock);
  const beats = sessions.map((session) => heartbeat.beat(session));
  await clock.advance(500);
  expect(await Promise.all(beats)).toEqual([false, true]);
  const after = await selectAgent(db, current);
  expect(Date.parse(after?.last_connected_at ?? "")).toBeGreaterThanOrEqual(
    Date.parse(before?.last_connected_at ?? ""),
  );
  expect(after?.last_connected_at).not.toBe(before?.last_connected_at);
});

test("leaves the times of a session that a newer one has taken over", async () => {
  const { db } = database;
  const place = await seedWorkspace(db);
  const build = { number: 1, transition: "start", job: "succeeded" } as const;
  const agentId = await seedAgent(db, await seedBuild(db, place, build));
  const first = { agentId, connectionId: randomUUID(), replicaId: randomUUID() };
  await markConnected(db, first);
  await markConnected(db, { ...first, connectionId: randomUUID() });
  const before = await selectAgent(db, agentId);

  const clock = createFakeClock();
  await using heartbeat = new GatheredHeartbeat(db, clock);
  const beat = heartbeat.beat(first);
  await clock.advance(500);
  expect(await beat).toBe(true);
  expect((await selectAgent(db, agentId))?.last_connected_at).toBe(before?.last_connected_at);
});

test("answers what waits when the server ends", async () => {
  const session = { agentId: randomUUID(), connectionId: randomUUID(), replicaId: randomUUID() };
  const heartbeat = new GatheredHeartbeat(database.db, createFakeClock());
  const beat = heartbeat.beat(session);
  await heartbeat[Symbol.asyncDispose]();
  expect(await beat).toBe(false);
});
