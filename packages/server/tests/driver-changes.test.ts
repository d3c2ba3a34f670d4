import { randomUUID } from "node:crypto";

import { updateActiveVersion } from "@slipway/api/templates/version-routes";
import { openTestDatabase, pushVersion } from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { requireSameDriver } from "../src/features/builds/take-over.ts";
import { seedBuild, seedWorkspace } from "./support/rows.ts";
import { ScheduleWorld } from "./support/schedule-world.ts";
import { fieldOf, smallTemplate, TemplateWorld } from "./support/template-world.ts";

let world: TemplateWorld;

beforeAll(async () => {
  world = await TemplateWorld.open();
});

afterAll(() => world[Symbol.asyncDispose]());

it("refuses a build with another driver, which would leave behind what the first one created", async () => {
  const moved = await world.pushVersion(
    smallTemplate.replace("driver: external", "driver: process"),
    "moved",
  );
  expect(moved.job.status).toBe("succeeded");
  const body = { name: "dev", template_version_id: world.first.id };
  const created = await world.post("/users/me/workspaces", body);
  const path = `/workspaces/${fieldOf(created.body, "id")}`;
  const build = async (transition: string, version: string): Promise<unknown> => {
    await expect
      .poll(async () => (await world.get(path)).body, { timeout: 10_000 })
      .toMatchObject({ latest_build: { job: { status: "succeeded" } } });
    return world.post(`${path}/builds`, { transition, template_version_id: version });
  };
  const refusal = {
    status: 400,
    body: {
      message:
        'Workspace "dev" uses the driver "external", and this version of its template the driver "process".',
      detail: expect.stringContaining('Choose a version with the driver "external"'),
    },
  };
  expect(await build("start", moved.id)).toMatchObject(refusal);
  expect(await build("delete", moved.id)).toMatchObject(refusal);
  expect(await build("stop", world.first.id)).toMatchObject({ status: 201 });
  expect(await build("start", moved.id)).toMatchObject(refusal);
  expect(await build("delete", world.first.id)).toMatchObject({ status: 201 });
});

it("does not try a scheduled start with another driver again before its next time", async () => {
  await using schedules = await ScheduleWorld.open();
  const { admin } = schedules.server;
  const workspace = await schedules.make("timed", { autostart_schedule: "0 9 * * *" });
  const next = Date.parse((await schedules.build(workspace, 2, "stop")).next_start_at ?? "");
  await schedules.put(workspace, "/autoupdates", { automatic_updates: "always" });
  const { templateId: template } = schedules;
  const moved = "driver: process\nagents: { main: { os: linux, arch: amd64 } }\n";
  const id = await pushVersion(admin, moved, { templateId: template });
  await admin.call(updateActiveVersion, { params: { template }, body: { id } });
  expect(await schedules.apply(next + 1_000)).toBe(0);
  const { next_start_at: after } = await schedules.read(workspace);
  expect(Date.parse(after ?? "")).toBe(next + 86_400_000);
});

it("permits it while what runs belongs to another owner, because the build removes that first", async () => {
  await using database = await openTestDatabase(inject("postgresUrl"));
  const { db } = database;
  const place = await seedWorkspace(db);
  const last = { build_number: 1, driver: "docker" };
  const require = (ownerId: string): Promise<void> =>
    requireSameDriver(db, { id: place.workspaceId, ownerId, name: "dev" }, last, "external");
  await expect(require(place.userId)).rejects.toMatchObject({ code: "invalid" });
  await seedBuild(db, place, { number: 1, transition: "start", job: "succeeded" });
  await expect(require(place.userId)).rejects.toMatchObject({ code: "invalid" });
  await expect(require(randomUUID())).resolves.toBeUndefined();
});
