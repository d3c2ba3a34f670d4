import { randomUUID } from "node:crypto";

import { silentLogger } from "@slipway/runtime";
import { createFakeClock, openTestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { expect, inject, it } from "vitest";

import { type Client, ClientAccess } from "../src/network/clients/client-access.ts";
import { workspaceUpdates } from "../src/network/clients/workspace-updates.ts";
import type { AbsentFilter } from "../src/network/coordinator/absent-clients.ts";
import { defaultLimits } from "../src/platform/config/limits.ts";
import { fullGrant } from "../src/platform/http/caller.ts";
import { LocalListeners } from "../src/platform/pubsub/local-listeners.ts";
import { type Listener, topics } from "../src/platform/pubsub/pubsub.ts";
import { HeldAnswers } from "./support/held-answers.ts";
import { seedAgent, seedBuild, seedWorkspace } from "./support/rows.ts";

/** Opens the checks of a replica, which remember what they read of absent clients, and counts their statements. */
async function openChecks(opened: AsyncDisposableStack, isOnDuty: boolean) {
  const database = opened.use(await openTestDatabase(inject("postgresUrl")));
  const listeners = new LocalListeners();
  const pubsub = {
    subscribe: (topic: string, listener: Listener) => listeners.add(topic, listener),
    publish: (topic: string) => listeners.hint(topic),
  };
  const statements = new HeldAnswers();
  statements.release();
  const reads: AbsentFilter[] = [];
  const told: unknown[] = [];
  const absent = {
    isOnDuty,
    async *readAbsent(which: AbsentFilter) {
      reads.push(which);
      yield* [];
    },
    removeAbsent: async () => undefined,
    removeAbsentTunnels: async () => undefined,
  };
  const clock = createFakeClock();
  const access = new ClientAccess({
    db: database.db.withPlugin(statements),
    pubsub,
    clock,
    logger: silentLogger,
    limits: defaultLimits,
    absent,
    notices: { tell: (notice) => void told.push(notice) },
  });
  const stop = new AbortController();
  const running = access.run(stop.signal).catch(() => undefined);
  opened.defer(() => {
    stop.abort();
    return running;
  });
  await expect.poll(() => reads).toEqual([{}]);
  return { db: database.db, access, pubsub, clock, statements, reads, told };
}

const ann = {
  username: "ann",
  roles: [],
  keyId: "no key",
  grant: fullGrant,
  origin: undefined,
};

const hinted = [{ workspaceIds: ["w1", "w2"] }, { userIds: ["u1"] }];

it.each([
  {
    what: "reads absent clients of what changed on the replica on duty",
    isOnDuty: true,
    read: hinted,
  },
  { what: "reads nothing of what changed on the others", isOnDuty: false, read: [] },
])("$what, and all now and then", async ({ isOnDuty, read }) => {
  await using opened = new AsyncDisposableStack();
  const { pubsub, clock, statements, reads } = await openChecks(opened, isOnDuty);
  pubsub.publish(topics.builds("w1"));
  pubsub.publish(topics.builds("w2"));
  pubsub.publish(topics.sessions("u1"));
  await clock.advance(500);
  await expect.poll(() => reads.slice(1)).toHaveLength(read.length);
  expect(reads.slice(1)).toEqual(expect.arrayContaining(read));
  reads.length = 0;
  await clock.advance(15_000);
  // All are checked now and then by all replicas, as hints may be lost.
  await expect.poll(() => reads).toContainEqual({});
  expect(statements.total).toBe(0);
});

it("tells the owner of a workspace of those who reach it, and of no one who may not", async () => {
  await using opened = new AsyncDisposableStack();
  const { db, access, told } = await openChecks(opened, false);
  const { userId: ownerId, ...seeded } = await seedWorkspace(db);
  const build = { number: 1, transition: "start", job: "succeeded" } as const;
  const agentId = await seedAgent(
    db,
    await seedBuild(db, { userId: ownerId, ...seeded }, build),
    "one",
  );
  const actorId = randomUUID();
  const user = { ...ann, id: actorId };
  expect(await access.mayReach(user, agentId)).toBe(false);
  expect(told).toEqual([]);
  expect(await access.mayReach({ ...user, roles: ["owner"] }, agentId)).toBe(true);
  expect(told).toEqual([{ actorId, ownerId, agentId }]);
});

it("checks only clients that reach an agent of a changed workspace, and those not known yet", async () => {
  await using opened = new AsyncDisposableStack();
  const { db, access, pubsub, clock, statements } = await openChecks(opened, false);
  const seeded = await seedWorkspace(db);
  const build = { number: 1, transition: "start", job: "succeeded" } as const;
  const agentId = await seedAgent(db, await seedBuild(db, seeded, build), "one");
  const ended: string[] = [];
  const client: Client = {
    user: { ...ann, id: seeded.userId },
    agents: new Set([agentId]),
    endAll: () => void ended.push("all"),
    endOne: () => undefined,
  };
  using _ = access.hold(client);
  const publish = async (workspaceId: string): Promise<void> => {
    pubsub.publish(topics.builds(workspaceId));
    await clock.advance(500);
  };
  await publish(randomUUID());
  await expect.poll(() => ended).toEqual(["all"]);
  const { total } = statements;
  await publish(randomUUID());
  expect(statements.total).toBe(total);
  await publish(seeded.workspaceId);
  await expect.poll(() => ended).toEqual(["all", "all"]);
});

it("tells a client of a change that was made while it learned of the workspace", async () => {
  await using opened = new AsyncDisposableStack();
  const { db } = opened.use(await openTestDatabase(inject("postgresUrl")));
  const seeded = await seedWorkspace(db);
  await seedBuild(db, seeded, { number: 1, transition: "start", job: "succeeded" });
  const answers = new HeldAnswers();
  const clock = createFakeClock();
  const pubsub = {
    subscribe: () => ({ [Symbol.dispose]: () => undefined }),
    publish: () => undefined,
  };
  const stop = new AbortController();
  const updates = workspaceUpdates(
    { db: db.withPlugin(answers), pubsub, clock },
    { ...ann, id: seeded.userId },
    seeded.userId,
    stop.signal,
  );
  const first = updates.next();
  await expect.poll(() => answers.count).toBe(1);
  await sql`update workspaces set name = 'renamed'`.execute(db);
  answers.release();
  expect(await first).toMatchObject({ value: { upsertedWorkspaces: [{ name: "dev" }] } });
  let told: unknown;
  const reading = updates.next().then((update) => (told = update));
  reading.catch(() => undefined);
  await clock.advance(100);
  await expect
    .poll(() => told)
    .toMatchObject({ value: { upsertedWorkspaces: [{ name: "renamed" }] } });
  stop.abort();
});
