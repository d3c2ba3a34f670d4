import { silentLogger } from "@slipway/runtime";
import { ClaimStage, openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";

import { noteActivity } from "../src/features/builds/deadline-service.ts";
import { applySchedules } from "../src/features/schedules/scheduler.ts";
import { setDormant } from "../src/features/workspaces/dormancy-service.ts";
import {
  extendWorkspace,
  noteUsage,
  renameWorkspace,
  setAutomaticUpdates,
  setAutostart,
  setFavorite,
  setTtl,
} from "../src/features/workspaces/settings-service.ts";
import { timestampFromMs } from "../src/platform/db/timestamp.ts";
import type { UserCaller } from "../src/platform/http/caller.ts";
import { topics } from "../src/platform/pubsub/pubsub.ts";
import { holdOpen, waitForBlocked } from "./support/lock-waits.ts";

/* Schedules and settings: changes that happen twice, have no effect, or hit an unintended target. */

const { signal } = new AbortController();
const hour = 3_600_000;

let opened: AsyncDisposableStack;
let database: TestDatabase;
let stage: ClaimStage;
let ann: UserCaller;
let workspaceId: string;
let hints: string[];

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  database = opened.use(await openTestDatabase(inject("postgresUrl")));
  stage = await ClaimStage.open(database.db, {
    driver: "external",
    agentNames: ["main"],
    pool: { instances: 1, expireAfterSeconds: 0 },
  });
  ann = await stage.addUser("ann");
  ({ id: workspaceId } = await stage.create(ann, { name: "dev", ttlMs: 8 * hour }));
  await stage.carryOut();
  hints = [];
});

afterEach(() => opened.disposeAsync());

function needs() {
  const publish = (topic: string): void => void hints.push(topic);
  return { ...stage.needs, logger: silentLogger, pubsub: { ...stage.needs.pubsub, publish } };
}

function setWorkspace(values: Readonly<Record<string, unknown>>) {
  return database.db.updateTable("workspaces").set(values).where("id", "=", workspaceId).execute();
}

function readWorkspace() {
  return database.db
    .selectFrom("workspaces")
    .where("id", "=", workspaceId)
    .selectAll()
    .executeTakeFirstOrThrow();
}

function builds() {
  return database.db
    .selectFrom("workspace_builds")
    .where("workspace_id", "=", workspaceId)
    .orderBy("build_number")
    .select(["id", "transition", "reason", "deadline", "initiator_id", "updated_at"])
    .execute();
}

async function newestBuild() {
  const build = (await builds()).at(-1);
  if (build === undefined) throw new Error("the workspace has no build");
  return build;
}

function audited() {
  return database.db
    .selectFrom("audit_log")
    .where("action", "=", "write")
    .where("user_id", "=", ann.id)
    .select(["resource_type", "diff"])
    .execute();
}

/** The time, by the schedules' clock, at which the stopped workspace is due to start. */
const due = Date.UTC(2030, 0, 7, 9);

async function stopAndSchedule(): Promise<void> {
  await stage.build(ann, workspaceId, "stop");
  await stage.carryOut();
  await setWorkspace({
    autostart_schedule: "CRON_TZ=UTC 0 9 * * *",
    next_start_at: timestampFromMs(due),
  });
}

it("a setting that another person changes first is audited with what it replaced", async () => {
  await using first = await holdOpen(database.db, (trx) =>
    trx
      .updateTable("workspaces")
      .set({ name: "between", ttl_ms: hour })
      .where("id", "=", workspaceId)
      .execute(),
  );
  const second = setTtl(needs(), ann, workspaceId, 2 * hour);
  await waitForBlocked(database.db);
  await first.commit();
  await second;
  const entries = database.db.selectFrom("audit_log").where("resource_id", "=", workspaceId);
  expect(
    await entries.where("action", "=", "write").select(["resource_target", "diff"]).execute(),
  ).toEqual([
    {
      resource_target: "between",
      diff: { ttl_ms: { old: hour, new: 2 * hour, secret: false } },
    },
  ]);
});

it("a time to live that is cleared ends no deadline of another workspace", async () => {
  const other = await stage.create(ann, { name: "other", ttlMs: 8 * hour });
  await stage.carryOut();
  await setTtl(needs(), ann, workspaceId, null);
  const deadlines = database.db.selectFrom("workspace_builds").select("deadline");
  const of = (id: string) => deadlines.where("workspace_id", "=", id).execute();
  expect(await of(workspaceId)).toEqual([{ deadline: null }]);
  expect(await of(other.id)).toEqual([{ deadline: expect.any(String) }]);
});

describe("a scheduled start", () => {
  beforeEach(stopAndSchedule);

  it("happens once for its time, though it fails, and is the schedule's, for the owner", async () => {
    expect(await applySchedules(needs(), due, signal)).toBe(1);
    expect(hints.toSorted()).toEqual(
      [topics.builds(workspaceId), topics.jobQueue, topics.workspace(workspaceId)].toSorted(),
    );
    expect(await newestBuild()).toMatchObject({
      transition: "start",
      reason: "autostart",
      initiator_id: ann.id,
    });
    await sql`update jobs set started_at = now(), completed_at = now(), error = 'broken'
      where completed_at is null`.execute(database.db);
    expect(await applySchedules(needs(), due + 60_000, signal)).toBe(0);
    expect(await readWorkspace()).toMatchObject({
      next_start_at: timestampFromMs(due + 24 * hour),
    });
    expect(await applySchedules(needs(), due + 24 * hour, signal)).toBe(1);
  });

  it("is not held off by the limit on pending builds, as many may be due at once", async () => {
    const limits = { ...stage.needs.limits, maxPendingBuildsPerUser: 0 };
    expect(await applySchedules({ ...needs(), limits }, due, signal)).toBe(1);
  });

  it("waits for its next time when it is refused, and is not tried again before", async () => {
    const limits = { ...stage.needs.limits, maxRunningWorkspacesPerUser: 0 };
    expect(await applySchedules({ ...needs(), limits }, due, signal)).toBe(0);
    const next = timestampFromMs(due + 24 * hour);
    expect(await readWorkspace()).toMatchObject({ next_start_at: next });
    expect(await applySchedules(needs(), due + 60_000, signal)).toBe(0);
  });

  it("comes for an owner who has not logged in for long, not for one who is suspended", async () => {
    const set = (status: "dormant" | "suspended") =>
      database.db.updateTable("users").set({ status }).where("id", "=", ann.id).execute();
    await set("suspended");
    expect(await applySchedules(needs(), due, signal)).toBe(0);
    await set("dormant");
    expect(await applySchedules(needs(), due + 24 * hour, signal)).toBe(1);
  });

  it("does not happen to a prebuild or a deleted workspace", async () => {
    const { owner_id: owner } = await readWorkspace();
    await sql`update workspaces set owner_id = (select id from users where is_system)`.execute(
      database.db,
    );
    expect(await applySchedules(needs(), due, signal)).toBe(0);
    await setWorkspace({ owner_id: owner, deleted: true });
    expect(await applySchedules(needs(), due, signal)).toBe(0);
    await setWorkspace({ deleted: false });
    expect(await applySchedules(needs(), due, signal)).toBe(1);
  });
});

describe("a deadline", () => {
  const setBuild = (values: Readonly<Record<string, unknown>>) =>
    database.db.updateTable("workspace_builds").set(values).execute();
  const setBump = (ms: number) =>
    database.db.updateTable("templates").set({ activity_bump_ms: ms }).execute();
  const leftMs = async () => Date.parse((await newestBuild()).deadline ?? "") - Date.now();
  const at = (ms: number) => timestampFromMs(Date.now() + ms);
  /** The time allowed for a loaded machine. */
  const slackMs = 60_000;

  it("is at most the build's longest", async () => {
    await stage.build(ann, workspaceId, "start");
    await setBuild({ max_deadline: at(2 * hour) });
    await stage.carryOut();
    expect(await leftMs()).toBeLessThanOrEqual(2 * hour);
    await setBump(5 * hour);
    await setBuild({ deadline: at(hour) });
    await noteActivity(database.db, workspaceId);
    expect(await leftMs()).toBeLessThanOrEqual(2 * hour);
    expect(await leftMs()).toBeGreaterThan(2 * hour - slackMs);
  });

  it("is extended by use to the next start and its time to live, where that comes first", async () => {
    await setBump(5 * hour);
    await setBuild({ deadline: at(hour) });
    await setWorkspace({ next_start_at: at(2 * hour), ttl_ms: 10 * hour });
    await noteActivity(database.db, workspaceId);
    expect(await leftMs()).toBeGreaterThan(12 * hour - slackMs);
  });

  it("is written once for much use in a short time, which is noted each time", async () => {
    await setBump(5 * hour);
    await setBuild({ deadline: at(hour) });
    await noteActivity(database.db, workspaceId);
    const first = await newestBuild();
    expect(Date.parse(first.deadline ?? "") - Date.now()).toBeGreaterThan(5 * hour - slackMs);
    // As if the first use were 10 seconds ago.
    await sql`update workspace_builds set deadline = deadline - interval '10 seconds'`.execute(
      database.db,
    );
    const old = "2020-01-01T00:00:00Z";
    await setWorkspace({ last_used_at: old });
    const before = await newestBuild();
    await noteActivity(database.db, workspaceId);
    expect(await newestBuild()).toEqual(before);
    expect((await readWorkspace()).last_used_at).not.toBe(old);
  });

  it("is moved once by the same request twice, with one entry in the audit trail", async () => {
    const deadline = timestampFromMs(Math.trunc(Date.now() / 1000) * 1000 + 3 * hour);
    expect(await extendWorkspace(needs(), ann, workspaceId, deadline)).toBe(true);
    expect(await extendWorkspace(needs(), ann, workspaceId, deadline)).toBe(false);
    expect(await audited()).toMatchObject([{ resource_type: "workspace_build" }]);
    expect(hints).toEqual([topics.workspace(workspaceId)]);
  });
});

describe("a setting", () => {
  it("that is as it should be already changes nothing, and is not audited again", async () => {
    await setFavorite(needs(), ann, workspaceId, true);
    await setFavorite(needs(), ann, workspaceId, true);
    await renameWorkspace(needs(), ann, workspaceId, "dev");
    for (let turn = 0; turn < 2; turn += 1) {
      await setAutomaticUpdates(needs(), ann, workspaceId, "always");
      await setTtl(needs(), ann, workspaceId, 2 * hour);
      await setAutostart(needs(), ann, workspaceId, "CRON_TZ=UTC 0 9 * * *");
    }
    expect(await setDormant(needs(), ann, workspaceId, true)).toBeDefined();
    expect(await setDormant(needs(), ann, workspaceId, true)).toBeUndefined();
    expect((await audited()).map(({ diff }) => Object.keys(diff ?? {}))).toEqual([
      ["favorite"],
      ["automatic_updates"],
      ["ttl_ms"],
      ["autostart_schedule"],
      ["dormant_at"],
    ]);
    expect(hints).toEqual(Array.from({ length: 5 }, () => topics.workspace(workspaceId)));
  });

  it("that ends a deadline is audited although it stays the same", async () => {
    await setWorkspace({ ttl_ms: null });
    await setTtl(needs(), ann, workspaceId, null);
    expect((await newestBuild()).deadline).toBeNull();
    await setTtl(needs(), ann, workspaceId, null);
    expect(await audited()).toEqual([{ resource_type: "workspace", diff: {} }]);
  });

  it("is hinted at, as is its use", async () => {
    await setAutomaticUpdates(needs(), ann, workspaceId, "always");
    expect(hints).toEqual([topics.workspace(workspaceId)]);
    hints = [];
    await noteUsage(needs(), ann, workspaceId);
    expect(hints).toEqual([topics.workspace(workspaceId)]);
  });

  it("to wake up counts as use, to sleep does not", async () => {
    const old = "2020-01-01T00:00:00Z";
    await setWorkspace({ last_used_at: old });
    await setDormant(needs(), ann, workspaceId, true);
    expect((await readWorkspace()).last_used_at).toBe(old);
    await setDormant(needs(), ann, workspaceId, false);
    expect((await readWorkspace()).last_used_at).not.toBe(old);
  });
});
