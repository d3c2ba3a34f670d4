import { listAuditLogs } from "@slipway/api/audit/routes";
import { cancelBuild } from "@slipway/api/builds/routes";
import type { InboxNotification } from "@slipway/api/notifications/notification";
import { listInboxNotifications } from "@slipway/api/notifications/routes";
import { getWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { DriverError } from "@slipway/drivers";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { ScheduleWorld } from "./support/schedule-world.ts";
import { SlowDriver } from "./support/slow-driver.ts";

const dayMs = 24 * 3_600_000;
let driver: SlowDriver;
let world: ScheduleWorld;

beforeAll(async () => {
  driver = new SlowDriver();
  world = await ScheduleWorld.open(driver);
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  driver.beforeDelete = async () => {};
  await sql`update workspaces set deleted = true`.execute(world.server.db);
  await world.edit({ time_til_dormant_ms: 2 * dayMs, time_til_dormant_autodelete_ms: 30 * dayMs });
});

/** Creates a workspace, lets it become dormant and stop; resolves to it and the time at which it became dormant. */
async function makeDormant(
  name: string,
): Promise<{ readonly workspace: Workspace; readonly since: number }> {
  const made = await world.make(name);
  // Times in the database are finer than milliseconds.
  const since = Date.parse(made.last_used_at) + 1 + 2 * dayMs;
  await world.apply(since);
  await world.apply(since);
  return { workspace: await world.settled(made, 2), since };
}

async function messageAbout({ id }: Workspace): Promise<InboxNotification | undefined> {
  const query = { targets: id };
  const { notifications } = await world.server.admin.call(listInboxNotifications, { query });
  expect(notifications.length).toBeLessThan(2);
  return notifications[0];
}

function timeOf(text: string | null): number {
  return Date.parse(text ?? "");
}

/** Reads a workspace that may be deleted. */
async function readAny({ id }: Workspace): Promise<Workspace> {
  const client = world.server.admin;
  const query = { include_deleted: "true" } as const;
  return client.call(getWorkspace, { params: { workspace: id }, query });
}

/** Reads the time at which the template's rule was set. */
async function ruleSetAt(): Promise<object | undefined> {
  return world.server.db
    .selectFrom("templates")
    .where("id", "=", world.templateId)
    .select("dormant_autodelete_set_at")
    .executeTakeFirst();
}

/** Waits until a workspace is deleted. */
async function deleted(workspace: Workspace): Promise<Workspace> {
  await expect
    .poll(async () => (await readAny(workspace)).latest_build.status, { timeout: 20_000 })
    .toBe("deleted");
  return readAny(workspace);
}

async function auditOf({ id }: Workspace): Promise<readonly object[]> {
  const query = { q: "", limit: "100" };
  const { audit_logs: entries } = await world.server.admin.call(listAuditLogs, { query });
  return entries
    .filter(
      ({ resource_id: resource, additional_fields: fields }) =>
        resource === id || fields["workspace_id"] === id,
    )
    .filter(({ additional_fields: fields }) => fields["build_reason"] === "dormancy");
}

describe("a dormant workspace", () => {
  it("is announced a day before, and deleted once, whoever looks; its owner is told each time", async () => {
    const { workspace, since } = await makeDormant("forgotten");
    const due = since + 30 * dayMs;
    expect(timeOf(workspace.deleting_at)).toBe(due);
    const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
    expect(await messageAbout(workspace)).toMatchObject({
      title: "forgotten is dormant",
      content: expect.stringContaining(`will be deleted on ${day(due)} at `),
    });
    const first = await messageAbout(workspace);
    await world.apply(due - dayMs - 1_000);
    expect(await messageAbout(workspace)).toEqual(first);
    await Promise.all([world.apply(due - dayMs), world.apply(due - dayMs)]);
    const second = await messageAbout(workspace);
    expect(second).toMatchObject({
      title: "forgotten will be deleted",
      content: expect.stringContaining(`will be deleted on ${day(due)} at `),
      read_at: null,
    });
    expect(await world.apply(due - 1_000)).toBe(0);
    expect(await messageAbout(workspace)).toEqual(second);
    const queued = await Promise.all([world.apply(due), world.apply(due)]);
    expect(queued.toSorted((a, b) => a - b)).toEqual([0, 1]);
    const gone = await deleted(workspace);
    expect(gone).toMatchObject({
      deleting_at: null,
      latest_build: { transition: "delete", reason: "dormancy", status: "deleted" },
    });
    expect(await messageAbout(workspace)).toMatchObject({ title: "forgotten was deleted" });
    expect(await world.apply(due + 90 * dayMs)).toBe(0);
    // It became dormant, was stopped, was announced and was deleted.
    expect(await auditOf(workspace)).toHaveLength(4);
  });

  it("has its last day although the server was down for a week", async () => {
    const { workspace, since } = await makeDormant("late");
    const back = since + 37 * dayMs;
    expect(await world.apply(back)).toBe(0);
    expect(await messageAbout(workspace)).toMatchObject({ title: "late will be deleted" });
    expect(timeOf((await world.read(workspace)).deleting_at)).toBe(back + dayMs);
    expect(await world.apply(back + dayMs - 1_000)).toBe(0);
    expect(await world.apply(back + 8 * dayMs)).toBe(1);
    await deleted(workspace);
  });

  it("is not deleted once it was activated, and has all its time when it is dormant again", async () => {
    const { workspace, since } = await makeDormant("awake");
    await world.apply(since + 29 * dayMs);
    expect(await world.put(workspace, "/dormant", { dormant: false })).toMatchObject({
      status: 200,
      body: { dormant_at: null, deleting_at: null },
    });
    await world.edit({ time_til_dormant_ms: 0 });
    expect(await world.apply(since + 300 * dayMs)).toBe(0);
    await world.put(workspace, "/dormant", { dormant: true });
    const again = await world.read(workspace);
    expect(timeOf(again.deleting_at)).toBe(timeOf(again.dormant_at) + 30 * dayMs);
    expect(await messageAbout(workspace)).toMatchObject({ title: "awake is dormant" });
  });

  it("is deleted by no rule, and by the one that holds at its time", async () => {
    const { workspace, since } = await makeDormant("ruled");
    await world.edit({ time_til_dormant_autodelete_ms: 0 });
    expect(await world.read(workspace)).toMatchObject({ deleting_at: null });
    for (const days of [29, 30, 60, 90]) expect(await world.apply(since + days * dayMs)).toBe(0);
    await world.edit({ time_til_dormant_autodelete_ms: 30 * dayMs });
    await world.apply(since + 29 * dayMs);
    // Its owner was told of a deletion that is postponed.
    await world.edit({ time_til_dormant_autodelete_ms: 60 * dayMs });
    expect(await world.apply(since + 31 * dayMs)).toBe(0);
    await world.apply(since + 59 * dayMs);
    expect(await world.apply(since + 60 * dayMs - 1_000)).toBe(0);
    expect(await world.apply(since + 60 * dayMs)).toBe(1);
  });

  it("has a day from a new rule on, however long it was dormant, unless that begins again", async () => {
    const made = await world.make("long");
    await world.edit({ time_til_dormant_autodelete_ms: 0 });
    await world.put(made, "/dormant", { dormant: true });
    await world.apply(Date.now());
    const workspace = await world.settled(made, 2);
    await sql`update workspaces set dormant_at = now() - interval '100 days', last_day_at = now() - interval '71 days'
      where id = ${workspace.id}`.execute(world.server.db);
    const before = Date.now();
    await world.edit({ time_til_dormant_autodelete_ms: 30 * dayMs });
    const at = timeOf((await world.read(workspace)).deleting_at);
    expect(at).toBeGreaterThanOrEqual(before + dayMs);
    // Setting the same rule again changes nothing.
    const setAt = await ruleSetAt();
    await world.edit({ time_til_dormant_autodelete_ms: 30 * dayMs });
    expect(await ruleSetAt()).toEqual(setAt);
    const now = before + 60_000;
    expect(await world.apply(now)).toBe(0);
    const end = timeOf((await world.read(workspace)).deleting_at);
    expect(end).toBeLessThanOrEqual(now + dayMs);
    expect(await world.apply(end - 1_000)).toBe(0);
    await world.edit({ update_workspace_dormant_at: true });
    expect(await world.apply(end)).toBe(0);
    expect(timeOf((await world.read(workspace)).deleting_at)).toBeGreaterThan(before + 29 * dayMs);
    await world.put(workspace, "/dormant", { dormant: false });
    await world.edit({ update_workspace_dormant_at: true });
    expect((await world.read(workspace)).dormant_at).toBeNull();
  });

  it("stays for a day after a deletion failed", async () => {
    const { workspace, since } = await makeDormant("stuck");
    driver.beforeDelete = async () => {
      throw new DriverError("unavailable", "the machine does not go");
    };
    const due = since + 30 * dayMs;
    await world.apply(due - dayMs);
    expect(await world.apply(due)).toBe(1);
    await world.ended(workspace, 3, "failed");
    expect(timeOf((await world.read(workspace)).deleting_at)).toBe(due + dayMs);
    for (const later of [10_000, dayMs - 1_000]) expect(await world.apply(due + later)).toBe(0);
    driver.beforeDelete = async () => {};
    expect(await world.apply(due + dayMs)).toBe(1);
    await deleted(workspace);
  });

  it("stays for a day after a deletion was refused", async () => {
    const { workspace, since } = await makeDormant("refused");
    const due = since + 30 * dayMs;
    await world.apply(due - dayMs);
    const { db } = world.server;
    const setTemplate = (id: string) =>
      sql`update template_versions set template_id = ${id} where id = ${workspace.latest_build.template_version_id}`.execute(
        db,
      );
    const { rows } = await sql<{ readonly id: string }>`
      insert into templates (organization_id, name, active_version_id, created_by)
        select organization_id, 'foreign', active_version_id, created_by from templates
          where id = ${world.templateId} returning id`.execute(db);
    await setTemplate(rows[0]?.id ?? "");
    expect(await world.apply(due)).toBe(0);
    await setTemplate(world.templateId);
    expect(await world.apply(due + dayMs - 1_000)).toBe(0);
    expect(await world.apply(due + dayMs)).toBe(1);
    await deleted(workspace);
  });

  it("cannot be activated while it is being deleted, but after that was canceled", async () => {
    const { workspace, since } = await makeDormant("torn");
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    driver.beforeDelete = async () => {
      begun.resolve();
      await gate.promise;
    };
    await world.apply(since + 29 * dayMs);
    await world.apply(since + 30 * dayMs);
    await begun.promise;
    expect(await world.put(workspace, "/dormant", { dormant: false })).toMatchObject({
      status: 409,
      body: { message: 'Workspace "torn" is being deleted.' },
    });
    const { latest_build: build } = await world.read(workspace);
    await world.server.admin.call(cancelBuild, { params: { build: build.id } });
    gate.reject(new DriverError("unavailable", "canceled"));
    await world.ended(workspace, 3, "canceled");
    expect(await world.apply(since + 30 * dayMs + 60_000)).toBe(0);
    expect(await world.put(workspace, "/dormant", { dormant: false })).toMatchObject({
      status: 200,
    });
    expect(await world.apply(since + 300 * dayMs)).toBe(0);
  });

  it("is either activated or deleted if both are asked for at once", async () => {
    const names = Array.from({ length: 6 }, (_, index) => `race-${index}`);
    const dormant = [];
    for (const name of names) dormant.push(await makeDormant(name));
    const last = Math.max(...dormant.map(({ since }) => since));
    await world.apply(last + 29 * dayMs);
    const activate = async ({ workspace }: { readonly workspace: Workspace }) => {
      const { status } = await world.put(workspace, "/dormant", { dormant: false });
      const { latest_build: build } = await readAny(workspace);
      return { isActive: status === 200, isDeleted: build.transition === "delete" };
    };
    const [, ...outcomes] = await Promise.all([
      world.apply(last + 30 * dayMs),
      ...dormant.map(activate),
    ]);
    expect(outcomes.filter(({ isActive, isDeleted }) => isActive === isDeleted)).toEqual([]);
  });
});

it("takes times from a day on, and none", async () => {
  const path = `/templates/${world.templateId}`;
  for (const time_til_dormant_autodelete_ms of [1, dayMs - 1, -1, 11 * 365 * dayMs]) {
    expect(
      await world.server.request("PATCH", path, { time_til_dormant_autodelete_ms }),
    ).toMatchObject({
      status: 400,
      body: { validations: [{ field: "time_til_dormant_autodelete_ms" }] },
    });
  }
  expect(await world.edit({ time_til_dormant_autodelete_ms: dayMs })).toMatchObject({
    time_til_dormant_autodelete_ms: dayMs,
  });
});
