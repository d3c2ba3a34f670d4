import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import { acquire, type ClaimStage, fillPool } from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";

import { invalidatePrebuilds } from "../src/features/prebuilds/invalidate-service.ts";
import {
  lockPrebuildToDelete,
  selectPool,
  selectPoolIds,
  tryLockPools,
  updatePrebuildStatus,
} from "../src/features/prebuilds/reconcile/queries.ts";
import { changePrebuildsSettings } from "../src/features/prebuilds/settings-service.ts";
import { openStage } from "./support/claim-stage.ts";

/** Failures do not cause backoff. */
const limits = { backoffMs: 0, lookbackMs: 3_600_000, failureHardLimit: 0 };

let opened: AsyncDisposableStack;
let stage: ClaimStage;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  stage = await openStage(inject("postgresUrl"), opened, "external", { instances: 2 });
});

afterEach(() => opened.disposeAsync());

async function readPool() {
  const found = await selectPool(stage.needs.db, stage.version.presetId);
  if (found === undefined) throw new Error("the preset is gone");
  return found.snapshot;
}

/** Lists the states of the prebuilds' newest builds, oldest first. */
async function listStates(): Promise<readonly string[]> {
  const { prebuilds } = await readPool();
  return prebuilds.map(({ build }) => `${build.transition} ${build.status}`);
}

async function takeJob() {
  const work = await acquire(stage.needs);
  if (work === undefined) throw new Error("no job waits");
  return work;
}

describe("a look at the pools", () => {
  it("makes nothing while another replica is at it", async () => {
    const { db } = stage.needs;
    const other = await db.startTransaction().execute();
    try {
      expect(await tryLockPools(other)).toBe(true);
      expect(await stage.look(limits)).toBe(0);
    } finally {
      await other.rollback().execute();
    }
    expect(await stage.look(limits)).toBe(2);
    expect(await stage.look(limits)).toBe(0);
  });

  it("makes and replaces nothing while an owner has paused it", async () => {
    const { db } = stage.needs;
    const [first = "", second = ""] = await fillPool(stage);
    await changePrebuildsSettings(db, stage.admin, { reconciliation_paused: true });
    const ann = await stage.addUser("ann");
    await stage.create(ann, { name: "mine", presetId: stage.version.presetId });
    await invalidatePrebuilds(db, stage.admin, stage.templateId);
    expect(await stage.look(limits)).toBe(0);
    await changePrebuildsSettings(db, stage.admin, { reconciliation_paused: false });
    // One is deleted, two are created.
    expect(await stage.look(limits)).toBe(3);
    await stage.carryOut();
    const { prebuilds } = await readPool();
    const ids = prebuilds.map(({ workspaceId }) => workspaceId);
    expect(ids).toHaveLength(2);
    expect(ids).not.toContain(first);
    expect(ids).not.toContain(second);
  });

  it("queues at most 100 builds at once, and the rest with the next look", async () => {
    const { db } = stage.needs;
    const [first = ""] = await fillPool(stage);
    await invalidatePrebuilds(db, stage.admin, stage.templateId);
    const want = (count: number) =>
      db.updateTable("template_version_presets").set({ desired_instances: count }).execute();
    await want(103);
    // Two are deleted.
    expect(await stage.look(limits)).toBe(100);
    expect(await stage.look(limits)).toBe(5);
    expect(await stage.look(limits)).toBe(0);
    const { prebuilds } = await readPool();
    expect(prebuilds.filter(({ build }) => build.transition === "start")).toHaveLength(103);
    expect(prebuilds.find(({ workspaceId }) => workspaceId === first)?.build.transition).toBe(
      "delete",
    );
    await want(0);
    expect(await stage.look(limits)).toBe(100);
    expect(await stage.look(limits)).toBe(3);
  });

  it("does not forget that a preset's values do not suffice", async () => {
    const { db } = stage.needs;
    const status = async () => (await readPool()).pool.status;
    await updatePrebuildStatus(db, stage.version.presetId, "validation_failed");
    expect(await stage.look(limits)).toBe(0);
    expect(await stage.look(limits)).toBe(0);
    expect(await status()).toBe("validation_failed");
    await updatePrebuildStatus(db, stage.version.presetId, "hard_limited");
    expect(await stage.look(limits)).toBe(2);
    expect(await status()).toBe("healthy");
  });

  it("sees a prebuild as its newest build stands", async () => {
    await stage.look(limits);
    expect(await listStates()).toEqual(["start pending", "start pending"]);
    const first = await takeJob();
    const second = await takeJob();
    expect(await listStates()).toEqual(["start running", "start running"]);
    await first.end("fail");
    await second.end("succeed");
    expect((await listStates()).toSorted()).toEqual(["start failed", "start succeeded"]);
  });

  it("replaces at once what was canceled, whether or not it had begun", async () => {
    await stage.look(limits);
    const { prebuilds } = await readPool();
    const running = await takeJob();
    const { db } = stage.needs;
    const { rows: builds } = await sql<{ readonly id: string }>`
      select id from workspace_builds`.execute(db);
    for (const { id } of builds) await stage.cancel(stage.admin, id);
    expect((await listStates()).toSorted()).toEqual(["start canceled", "start running"]);
    await running.end("cancel");
    expect(await listStates()).toEqual(["start canceled", "start canceled"]);
    // Two deletions, and two replacements.
    expect(await stage.look({ ...limits, backoffMs: 60_000 })).toBe(4);
    await stage.carryOut();
    expect(await listStates()).toEqual(["start succeeded", "start succeeded"]);
    const { prebuilds: now } = await readPool();
    const before = new Set(prebuilds.map(({ workspaceId }) => workspaceId));
    expect(now.filter(({ workspaceId }) => before.has(workspaceId))).toEqual([]);
  });

  it("counts as ready what has all its root agents ready", async () => {
    const [first] = await fillPool(stage);
    const listReady = async () => (await readPool()).prebuilds.map(({ isReady }) => isReady);
    expect(await listReady()).toEqual([true, true]);
    await sql`update workspace_agents a set lifecycle_state = 'starting'
      from workspace_builds b
      where b.id = a.workspace_build_id and b.workspace_id = ${first} and a.name = 'second'`.execute(
      stage.needs.db,
    );
    expect(await listReady()).toEqual([false, true]);
    await sql`update workspace_agents set deleted = true`.execute(stage.needs.db);
    expect(await listReady()).toEqual([false, false]);
  });

  it("replaces what is of a version that is no longer active", async () => {
    const before = await fillPool(stage);
    const next = await stage.pushVersion();
    await stage.activate(next.id);
    expect(await selectPoolIds(stage.needs.db)).toEqual(
      [stage.version.presetId, next.presetId].toSorted(),
    );
    await stage.look(limits);
    await stage.carryOut();
    expect(await selectPoolIds(stage.needs.db)).toEqual([next.presetId]);
    const { rows } = await sql<{ readonly id: string; readonly preset: string }>`
      select id, prebuild_preset_id as preset from workspaces where not deleted`.execute(
      stage.needs.db,
    );
    expect(rows.map(({ preset }) => preset)).toEqual([next.presetId, next.presetId]);
    expect(rows.filter(({ id }) => before.includes(id))).toEqual([]);
  });
});

describe("a deletion of a prebuild", () => {
  it("leaves alone what a user has claimed since, what is deleted, and what another one holds", async () => {
    const [first = "", second = ""] = await fillPool(stage);
    const { db } = stage.needs;
    const isLocked = (id: string) =>
      db.transaction().execute(async (trx) => {
        // It does not wait; this would bound the test if it did.
        await sql`set local lock_timeout = '2s'`.execute(trx);
        return (await lockPrebuildToDelete(trx, id)) !== undefined;
      });
    expect([await isLocked(first), await isLocked(second)]).toEqual([true, true]);
    const ann = await stage.addUser("ann");
    const { presetId } = stage.version;
    expect((await stage.create(ann, { name: "mine", presetId })).id).toBe(first);
    expect(await isLocked(first)).toBe(false);
    const other = await db.startTransaction().execute();
    try {
      await sql`update workspaces set updated_at = now() where id = ${second}`.execute(other);
      expect(await isLocked(second)).toBe(false);
    } finally {
      await other.rollback().execute();
    }
    await sql`update workspaces set deleted = true where id = ${second}`.execute(db);
    expect(await isLocked(second)).toBe(false);
  });

  it("never touches a workspace of which a claim changed the owner after the look", async () => {
    const [first = ""] = await fillPool(stage);
    const { db } = stage.needs;
    const { prebuilds } = await readPool();
    expect(prebuilds.map(({ workspaceId }) => workspaceId)).toContain(first);
    const ann = await stage.addUser("ann");
    await stage.create(ann, { name: "mine", presetId: stage.version.presetId });
    await sql`update template_version_presets set desired_instances = 0`.execute(db);
    await stage.look(limits);
    await stage.carryOut();
    const { rows } = await sql<{ readonly owner_id: string; readonly deleted: boolean }>`
      select owner_id, deleted from workspaces order by deleted`.execute(db);
    expect(rows).toEqual([
      { owner_id: ann.id, deleted: false },
      { owner_id: prebuildsUserId, deleted: true },
    ]);
  });
});
