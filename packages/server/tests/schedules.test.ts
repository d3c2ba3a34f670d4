import { createBuild, updateAutostart } from "@slipway/api";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { defaultLimits } from "../src/platform/config/limits.ts";
import { ScheduleWorld } from "./support/schedule-world.ts";

let world: ScheduleWorld;

beforeAll(async () => {
  world = await ScheduleWorld.open();
});
afterAll(() => world[Symbol.asyncDispose]());

describe("a workspace with a time to live and a schedule", () => {
  it("is stopped at its deadline and started at its time, each once, whoever looks", async () => {
    const workspace = await world.make("clockwork", { ttl_ms: 29 * 86_400_000 });
    // Times in the database are finer than milliseconds.
    const deadline = Date.parse(workspace.latest_build.deadline ?? "") + 1;
    expect(await world.apply(deadline - 1_000)).toBe(0);
    const both = [deadline, deadline].map((now) => world.apply(now));
    const [first = 0, second = 0] = await Promise.all(both);
    expect(first + second).toBe(1);
    const stopped = await world.settled(workspace, 2);
    expect(stopped.latest_build).toMatchObject({
      transition: "stop",
      reason: "autostop",
      initiator_name: "admin",
      deadline: null,
    });
    await world.server.admin.call(updateAutostart, {
      params: { workspace: workspace.id },
      body: { schedule: "CRON_TZ=Europe/Berlin 30 9 * * *" },
    });
    // A week of mornings was missed.
    const nextStart = Date.parse((await world.read(workspace)).next_start_at ?? "");
    const late = nextStart + 7 * 86_400_000 + 1_000;
    expect(await world.apply(late)).toBe(1);
    const started = await world.settled(workspace, 3);
    expect(started.latest_build).toMatchObject({ transition: "start", reason: "autostart" });
    expect(started.latest_build.deadline).not.toBeNull();
    expect(Date.parse(started.next_start_at ?? "")).toBeGreaterThan(late);
    expect(await world.apply(late)).toBe(0);
  });

  it("passes over its time while it runs", async () => {
    const workspace = await world.make("busy", { autostart_schedule: "0 9 * * *" });
    const next = Date.parse(workspace.next_start_at ?? "");
    await world.apply(next);
    const found = await world.read(workspace);
    expect(Date.parse(found.next_start_at ?? "")).toBe(next + 86_400_000);
    expect(found.latest_build.build_number).toBe(1);
  });

  it("passes over its time while its owner runs as many as they may", async () => {
    const workspace = await world.make("limited", { autostart_schedule: "0 9 * * *" });
    await world.server.admin.call(createBuild, {
      params: { workspace: workspace.id },
      body: { transition: "stop" },
    });
    await world.settled(workspace, 2);
    const next = Date.parse((await world.read(workspace)).next_start_at ?? "");
    const limits = { ...defaultLimits, maxRunningWorkspacesPerUser: 0 };
    expect(await world.apply(next, limits)).toBe(0);
    const found = await world.read(workspace);
    expect(Date.parse(found.next_start_at ?? "")).toBe(next + 86_400_000);
    expect(found.latest_build.build_number).toBe(2);
  });

  it("is stopped by the running server itself", async () => {
    const workspace = await world.make("real", { ttl_ms: 60_000 });
    await sql`update workspace_builds set deadline = now()
      where workspace_id = ${workspace.id}`.execute(world.server.db);
    const stopped = await world.settled(workspace, 2);
    expect(stopped.latest_build).toMatchObject({ status: "stopped", reason: "autostop" });
  });
});
