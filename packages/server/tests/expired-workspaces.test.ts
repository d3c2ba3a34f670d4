import { updateTtl } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, it } from "vitest";

import { ScheduleWorld } from "./support/schedule-world.ts";

/* Workspaces that are deleted at the end of their time to live. */

const hourMs = 3_600_000;
const sandbox = { ttl_ms: hourMs, on_deadline: "delete" };

let world: ScheduleWorld;

beforeAll(async () => {
  world = await ScheduleWorld.open();
});
afterAll(() => world[Symbol.asyncDispose]());

function deadlineOf({ latest_build }: Workspace): number {
  return Date.parse(latest_build.deadline ?? "");
}

async function isDeleted({ id }: Workspace): Promise<boolean> {
  const answer = await world.server.request("GET", `/workspaces/${id}`);
  return answer.status === 404;
}

it("is deleted at its deadline, once, whoever looks, and says why", async () => {
  const workspace = await world.make("expiring", sandbox);
  expect(workspace.on_deadline).toBe("delete");
  const deadline = deadlineOf(workspace) + 1;
  expect(await world.apply(deadline - 1_000)).toBe(0);
  const [first, second] = await Promise.all([world.apply(deadline), world.apply(deadline)]);
  expect(first + second).toBe(1);
  await expect.poll(() => isDeleted(workspace)).toBe(true);
  expect(await world.apply(deadline + hourMs)).toBe(0);
  const { rows } = await sql<{ readonly reason: string }>`select reason from workspace_builds
    where workspace_id = ${workspace.id} and transition = 'delete'`.execute(world.server.db);
  expect(rows).toEqual([{ reason: "autostop" }]);
  const audit = await world.server.request("GET", "/audit?q=resource_type:workspace_build&limit=5");
  expect(JSON.stringify(audit.body)).toContain("expiring");
});

it("lives on when it is extended at the last moment", async () => {
  const workspace = await world.make("extended", sandbox);
  const deadline = deadlineOf(workspace) + 1;
  const later = new Date(deadline + hourMs).toISOString();
  expect((await world.put(workspace, "/extend", { deadline: later })).status).toBe(200);
  expect(await world.apply(deadline + 60_000)).toBe(0);
  expect(await world.apply(deadline + hourMs + 1_000)).toBe(1);
  await expect.poll(() => isDeleted(workspace)).toBe(true);
});

it("is deleted as long after its stop as it may run, unless it started again", async () => {
  const workspace = await world.make("paused", sandbox);
  await world.build(workspace, 2, "stop");
  const afterStop = Date.now() + hourMs;
  await world.build(workspace, 3, "start");
  expect(await world.apply(Math.min(afterStop, deadlineOf(await world.read(workspace)) - 1))).toBe(
    0,
  );
  await world.build(workspace, 4, "stop");
  expect(await world.apply(Date.now() + hourMs - 60_000)).toBe(0);
  expect(await world.apply(Date.now() + hourMs + 60_000)).toBe(1);
  await expect.poll(() => isDeleted(workspace)).toBe(true);
});

it("is kept once its time to live is cleared", async () => {
  const workspace = await world.make("kept", sandbox);
  const params = { workspace: workspace.id };
  await world.server.admin.call(updateTtl, { params, body: { ttl_ms: null } });
  const found = await world.read(workspace);
  expect(found.on_deadline).toBeUndefined();
  expect(found.latest_build.deadline).toBeNull();
  expect(await world.apply(Date.now() + 90 * 86_400_000)).toBe(0);
});

it("is refused without a time to live, and with an unknown action", async () => {
  const create = (more: object) =>
    world.server.request("POST", "/users/me/workspaces", {
      name: "endless",
      template_id: world.templateId,
      ...more,
    });
  const refused = await create({ on_deadline: "delete" });
  expect(refused).toMatchObject({ status: 400, body: { validations: [{ field: "on_deadline" }] } });
  expect((await create({ ttl_ms: hourMs, on_deadline: "explode" })).status).toBe(400);
});

it("is refused if it must be a prebuilt one and none is waiting", async () => {
  const refused = await world.server.request("POST", "/users/me/workspaces", {
    name: "impatient",
    template_id: world.templateId,
    require_prebuild: true,
  });
  expect(refused).toMatchObject({
    status: 409,
    body: { validations: [{ field: "require_prebuild" }] },
  });
  const found = await world.server.request("GET", "/users/me/workspace/impatient");
  expect(found.status).toBe(404);
});
