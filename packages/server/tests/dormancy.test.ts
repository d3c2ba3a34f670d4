import { listAuditLogs } from "@slipway/api/audit/routes";
import type { InboxNotification } from "@slipway/api/notifications/notification";
import { listInboxNotifications } from "@slipway/api/notifications/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { ScheduleWorld } from "./support/schedule-world.ts";

const dayMs = 24 * 3_600_000;
let world: ScheduleWorld;

beforeAll(async () => {
  world = await ScheduleWorld.open();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.edit({ time_til_dormant_ms: 0 });
});

/** Returns the moment after the last use of a workspace; times in the database are finer than milliseconds. */
async function usedAt(workspace: Workspace): Promise<number> {
  return Date.parse((await world.read(workspace)).last_used_at) + 1;
}

async function messagesAbout({ id }: Workspace): Promise<readonly InboxNotification[]> {
  const query = { targets: id };
  return (await world.server.admin.call(listInboxNotifications, { query })).notifications;
}

/** Returns the workspace's entries in the audit trail that make it dormant, or wake it up. */
async function auditOf({ id }: Workspace): Promise<readonly object[]> {
  const query = { q: "resource_type:workspace action:write", limit: "100" };
  const { audit_logs: entries } = await world.server.admin.call(listAuditLogs, { query });
  return entries.filter(
    ({ resource_id: resource, diff }) => resource === id && "dormant_at" in diff,
  );
}

describe("a workspace that is not used", () => {
  it("is made dormant once and stopped once, whoever looks, and its owner is told", async () => {
    const workspace = await world.make("unused");
    await world.edit({ time_til_dormant_ms: 2 * dayMs });
    const due = (await usedAt(workspace)) + 2 * dayMs;
    expect(await world.apply(due - 1_000)).toBe(0);
    expect((await world.read(workspace)).dormant_at).toBeNull();
    await Promise.all([world.apply(due), world.apply(due)]);
    await world.apply(due + 10_000);
    const stopped = await world.settled(workspace, 2);
    expect(Date.parse(stopped.dormant_at ?? "")).toBe(due);
    expect(stopped.latest_build).toMatchObject({ transition: "stop", reason: "dormancy" });
    expect(await world.apply(due + 10 * dayMs)).toBe(0);
    expect(await messagesAbout(workspace)).toMatchObject([
      { title: "unused is dormant", targets: [workspace.id], read_at: null },
    ]);
    expect(await auditOf(workspace)).toHaveLength(1);
  });

  it("does not start before it is activated, which counts as use", async () => {
    const workspace = await world.make("asleep");
    const due = (await usedAt(workspace)) + 2 * dayMs;
    await world.edit({ time_til_dormant_ms: 2 * dayMs });
    await world.apply(due);
    await world.apply(due);
    await world.settled(workspace, 2);
    const start = { transition: "start" };
    const path = `/workspaces/${workspace.id}/builds`;
    expect(await world.server.request("POST", path, start)).toMatchObject({ status: 409 });
    expect((await world.read(workspace)).latest_build.build_number).toBe(2);
    expect(await world.put(workspace, "/dormant", { dormant: false })).toMatchObject({
      status: 200,
      body: { dormant_at: null },
    });
    await world.build(workspace, 3, "start");
    const again = (await usedAt(workspace)) + 2 * dayMs;
    expect(again).toBeGreaterThan(due);
    await world.apply(again - 1_000);
    expect((await world.read(workspace)).dormant_at).toBeNull();
  });

  it("is awake while it is used, by a start as well, or when a change of the template counts", async () => {
    const workspace = await world.make("used");
    const first = await usedAt(workspace);
    await world.server.request("POST", `/workspaces/${workspace.id}/usage`);
    const second = await usedAt(workspace);
    expect(second).toBeGreaterThan(first);
    await world.build(workspace, 2, "stop");
    expect(await usedAt(workspace)).toBe(second);
    await world.build(workspace, 3, "start");
    const third = await usedAt(workspace);
    expect(third).toBeGreaterThan(second);
    await world.edit({ time_til_dormant_ms: 60_000, update_workspace_last_used_at: true });
    expect(await usedAt(workspace)).toBeGreaterThan(third);
    await world.apply(third + 60_000);
    expect((await world.read(workspace)).dormant_at).toBeNull();
  });
});

it("takes times from a minute on, and none", async () => {
  const path = `/templates/${world.templateId}`;
  for (const time_til_dormant_ms of [1, 59_999, -1]) {
    expect(await world.server.request("PATCH", path, { time_til_dormant_ms })).toMatchObject({
      status: 400,
      body: { validations: [{ field: "time_til_dormant_ms" }] },
    });
  }
});
