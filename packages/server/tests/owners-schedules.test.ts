import type { Workspace } from "@slipway/api/workspaces/workspace";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { ScheduleWorld } from "./support/schedule-world.ts";

const hourMs = 3_600_000;
const mornings = "0 9 * * *";
let world: ScheduleWorld;

beforeAll(async () => {
  world = await ScheduleWorld.open();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.edit({ allow_user_autostart: true, allow_user_autostop: true, default_ttl_ms: 0 });
});

function create(name: string, more: object) {
  const body = { name, template_id: world.templateId, ...more };
  return world.server.request("POST", "/users/me/workspaces", body);
}

function refused(field: string, message: string): object {
  return {
    status: 400,
    body: {
      message: expect.stringContaining(message),
      validations: [{ field, detail: expect.stringContaining("template outside") }],
    },
  };
}

/** The time between the end of a start and its deadline. */
async function lifeMs({ id }: Workspace): Promise<number | undefined> {
  const { rows } = await sql<{ readonly ms: number | null }>`
    select round(extract(epoch from b.deadline - j.completed_at) * 1000)::float8 as ms
      from workspace_builds b join jobs j on j.id = b.job_id
      where b.workspace_id = ${id} order by b.build_number desc limit 1`.execute(world.server.db);
  return rows[0]?.ms ?? undefined;
}

describe("a template without schedules of owners", () => {
  it("refuses them, and takes them away", async () => {
    const workspace = await world.make("mornings", { autostart_schedule: mornings });
    const settings = await world.edit({ allow_user_autostart: false });
    expect(settings).toMatchObject({ allow_user_autostart: false, allow_user_autostop: true });
    const no = refused("schedule", "Autostart is not allowed");
    expect(await world.put(workspace, "/autostart", { schedule: "0 8 * * *" })).toMatchObject(no);
    expect(await create("late", { autostart_schedule: mornings })).toMatchObject(no);
    expect(await world.put(workspace, "/autostart", { schedule: "" })).toMatchObject({
      status: 204,
    });
    expect(await world.read(workspace)).toMatchObject({ autostart_schedule: null });
  });

  it("passes over those that were set before, until it allows them again", async () => {
    const workspace = await world.make("waits", { autostart_schedule: mornings });
    const stopped = await world.build(workspace, 2, "stop");
    const next = Date.parse(stopped.next_start_at ?? "");
    await world.edit({ allow_user_autostart: false });
    expect(await world.read(workspace)).toMatchObject({
      autostart_schedule: mornings,
      next_start_at: null,
    });
    expect(await world.apply(next)).toBe(0);
    await world.edit({ allow_user_autostart: true });
    const later = await world.read(workspace);
    expect(Date.parse(later.next_start_at ?? "")).toBe(next + 24 * hourMs);
    expect(await world.apply(next)).toBe(0);
    expect(await world.apply(next + 24 * hourMs)).toBe(1);
    await world.settled(workspace, 3);
  });
});

describe("a template without times to live of owners", () => {
  it("refuses another than its default, and takes that", async () => {
    const workspace = await world.make("fixed");
    await world.edit({ allow_user_autostop: false, default_ttl_ms: 2 * hourMs });
    const no = refused("ttl_ms", "Custom autostop TTL is not allowed");
    for (const ttl_ms of [hourMs, 0, null]) {
      expect(await world.put(workspace, "/ttl", { ttl_ms })).toMatchObject(no);
    }
    expect(await world.put(workspace, "/ttl", { ttl_ms: 2 * hourMs })).toMatchObject({
      status: 204,
    });
    expect(await create("other", { ttl_ms: hourMs })).toMatchObject(no);
    expect(await world.make("asks-for-none")).toMatchObject({ ttl_ms: 2 * hourMs });
    expect(await world.make("asks-for-it", { ttl_ms: 2 * hourMs })).toMatchObject({
      ttl_ms: 2 * hourMs,
    });
  });

  it("gives all the default of the moment from their next start on", async () => {
    const workspace = await world.make("own-life", { ttl_ms: 5 * hourMs });
    await world.edit({ allow_user_autostop: false, default_ttl_ms: 2 * hourMs });
    expect(await world.read(workspace)).toMatchObject({
      ttl_ms: 2 * hourMs,
      latest_build: { deadline: workspace.latest_build.deadline },
    });
    await world.build(workspace, 2, "stop");
    await world.build(workspace, 3, "start");
    expect(Math.abs(((await lifeMs(workspace)) ?? 0) - 2 * hourMs)).toBeLessThan(60_000);
    await world.edit({ default_ttl_ms: 0 });
    await world.build(workspace, 4, "stop");
    expect(await world.build(workspace, 5, "start")).toMatchObject({
      ttl_ms: null,
      latest_build: { deadline: null },
    });
    await world.edit({ allow_user_autostop: true });
    expect(await world.read(workspace)).toMatchObject({ ttl_ms: 5 * hourMs });
  });
});

it("records in the audit trail what a template allows", async () => {
  await world.edit({ allow_user_autostart: false });
  const path = "/audit?limit=1&q=resource_type:template";
  expect(await world.server.request("GET", path)).toMatchObject({
    body: { audit_logs: [{ diff: { allow_user_autostart: { old: true, new: false } } }] },
  });
});
