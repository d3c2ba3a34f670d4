import { createBuild } from "@slipway/api/workspaces/build-routes";
import { updateAutostart } from "@slipway/api/workspaces/routes";
import { pushTemplate } from "@slipway/testkit";
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
    // The schedule missed a week of mornings.
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

it("reaches a workspace behind one whose action fails in the database", async () => {
  const made = [
    await world.make("one", { ttl_ms: 60_000 }),
    await world.make("two", { ttl_ms: 60_000 }),
  ];
  const [broken, behind] = made.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  if (broken === undefined || behind === undefined) throw new RangeError("wanted two workspaces");
  const { db } = world.server;
  await sql`create function fail() returns trigger language plpgsql as $$ begin raise 'broken'; end $$`.execute(
    db,
  );
  await sql`create trigger broken before insert on workspace_builds for each row
    when (new.workspace_id = ${sql.lit(broken.id)}) execute function fail()`.execute(db);
  await world.apply(Date.parse(behind.latest_build.deadline ?? "") + 60_000);
  await world.settled(behind, 2);
  expect((await world.read(broken)).latest_build.build_number).toBe(1);
});

it("reaches a workspace behind more refused ones than it looks at together", async () => {
  const { db, admin } = world.server;
  const workspace = await world.make("behind", { ttl_ms: 29 * 86_400_000 });
  const build = workspace.latest_build;
  await pushTemplate(
    admin,
    "others",
    "driver: external\nagents: { a: { os: linux, arch: amd64 } }\n",
  );
  // Their builds use a version of another template, in which none is stopped.
  await sql`
    with copy as (
      select n, ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid as id, gen_random_uuid() as job_id
        from generate_series(1, 500) n
    ), new_job as (
      insert into jobs (id, type, organization_id, initiator_id, file_id, started_at, completed_at)
        select copy.job_id, job.type, job.organization_id, job.initiator_id, job.file_id, now(), now()
          from copy, jobs job where job.id = ${build.job.id}
    ), new_workspace as (
      insert into workspaces (id, owner_id, organization_id, template_id, name)
        select copy.id, w.owner_id, w.organization_id, w.template_id, 'refused-' || n
          from copy, workspaces w where w.id = ${workspace.id}
    )
    insert into workspace_builds (workspace_id, owner_id, build_number, transition, template_version_id, initiator_id,
        job_id, reason, deadline)
      select copy.id, b.owner_id, 1, 'start', t.active_version_id, b.initiator_id, copy.job_id, b.reason, b.deadline
        from copy, workspace_builds b, templates t where b.id = ${build.id} and t.name = 'others'`.execute(
    db,
  );
  // Times in the database are finer than milliseconds.
  expect(await world.apply(Date.parse(build.deadline ?? "") + 1)).toBeGreaterThan(0);
  await world.settled(workspace, 2);
});
