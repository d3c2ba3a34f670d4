import { createBuild } from "@slipway/api/workspaces/build-routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { ScheduleWorld } from "./support/schedule-world.ts";
import { SlowDriver } from "./support/slow-driver.ts";

const hourMs = 3_600_000;
let driver: SlowDriver;
let world: ScheduleWorld;

beforeAll(async () => {
  driver = new SlowDriver();
  world = await ScheduleWorld.open(driver);
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  driver.isBroken = false;
  await world.edit({ failure_ttl_ms: 2 * hourMs });
});

/** Creates a workspace whose start fails. */
async function makeFailed(name: string, more: object = {}): Promise<Workspace> {
  driver.isBroken = true;
  return world.ended(await world.create(name, more), 1, "failed");
}

/** Returns the end of a workspace's newest build; times in the database are finer than milliseconds. */
function endOf({ latest_build: { job } }: Workspace): number {
  return Date.parse(job.completed_at ?? "") + 1;
}

describe("a start that failed", () => {
  it("is stopped after the template's time, once, whoever looks", async () => {
    const workspace = await makeFailed("twice");
    const due = endOf(workspace) + 2 * hourMs;
    expect(await world.apply(due - 1_000)).toBe(0);
    const [first, second] = await Promise.all([world.apply(due), world.apply(due)]);
    expect(first + second).toBe(1);
    const stopped = await world.settled(workspace, 2);
    expect(stopped.latest_build).toMatchObject({ transition: "stop", reason: "autostop" });
    expect(driver.takeAsked(workspace.id).map(({ what }) => what)).toContain("stop");
    expect(await world.apply(due + 9 * hourMs)).toBe(0);
    const audit = await world.server.request("GET", "/audit?q=build_reason:autostop&limit=1");
    expect(audit).toMatchObject({ body: { audit_logs: [{ action: "stop" }] } });
  });

  it("is stopped late, by the time that holds now, or not at all without one", async () => {
    const workspace = await makeFailed("late");
    const end = endOf(workspace);
    await world.edit({ failure_ttl_ms: 0 });
    expect(await world.apply(end + 1_000 * hourMs)).toBe(0);
    await world.edit({ failure_ttl_ms: 60_000 });
    expect(await world.apply(end + 1_000 * hourMs)).toBe(1);
    await world.settled(workspace, 2);
  });

  it("is left alone once it was started again, or is being started", async () => {
    const workspace = await makeFailed("again");
    driver.isBroken = false;
    await world.server.admin.call(createBuild, {
      params: { workspace: workspace.id },
      body: { transition: "start" },
    });
    const started = await world.settled(workspace, 2);
    expect(await world.apply(endOf(started) + 9 * hourMs)).toBe(0);
  });
});

it("takes times from a minute to ten years, and none", async () => {
  const path = `/templates/${world.templateId}`;
  for (const failure_ttl_ms of [1, 59_999, -1, 11 * 365 * 24 * hourMs, 1.5]) {
    expect(await world.server.request("PATCH", path, { failure_ttl_ms })).toMatchObject({
      status: 400,
      body: { validations: [{ field: "failure_ttl_ms" }] },
    });
  }
  expect(await world.edit({ failure_ttl_ms: 60_000 })).toMatchObject({ failure_ttl_ms: 60_000 });
  expect(await world.edit({ display_name: "Same" })).toMatchObject({ failure_ttl_ms: 60_000 });
  expect(await world.edit({ failure_ttl_ms: 0 })).toMatchObject({ failure_ttl_ms: 0 });
});
