import {
  getPrebuildsSettings,
  invalidatePrebuilds,
  listPrebuildClaims,
  listPrebuildPools,
  updatePrebuildsSettings,
} from "@slipway/api/prebuilds/routes";
import { deleteTemplate, getTemplate, updateTemplate } from "@slipway/api/templates/routes";
import { listTemplateVersionPresets } from "@slipway/api/templates/version-routes";
import { listUsers } from "@slipway/api/users/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace, getWorkspace, getWorkspaceByName } from "@slipway/api/workspaces/routes";
import { silentLogger } from "@slipway/runtime";
import { createFakeClock, openTestDatabase, pushTemplate } from "@slipway/testkit";
import { Registry } from "prom-client";
import { afterEach, beforeEach, expect, inject, it, vi } from "vitest";

import { addPoolMetrics } from "../src/features/prebuilds/pools/metrics.ts";
import { defaultReconciler } from "../src/features/prebuilds/reconcile/reconciler.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, testPassword } from "./support/people.ts";
import {
  claim,
  failBuilds,
  fillPool,
  listPrebuilds,
  pushPool,
  waitForPrebuilds,
} from "./support/pool.ts";

const patiently = { timeout: 30_000, interval: 50 };

let opened: AsyncDisposableStack;
let server: OpenServer;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  server = opened.use(await openServer(inject("postgresUrl")));
});

afterEach(() => opened.disposeAsync());

function setPaused(reconciliation_paused: boolean) {
  return server.admin.call(updatePrebuildsSettings, { body: { reconciliation_paused } });
}

it("pauses and resumes, says when it is so already, and keeps who did it", async () => {
  const paused = { reconciliation_paused: true };
  expect(await server.admin.call(getPrebuildsSettings, {})).toEqual({
    reconciliation_paused: false,
  });
  const put = (body: unknown) => server.request("PUT", "/prebuilds/settings", body);
  expect(await put(paused)).toMatchObject({ status: 200, body: paused });
  expect(await put(paused)).toMatchObject({ status: 304, body: "" });
  expect(await put({})).toMatchObject({ status: 400 });
  const { client: author } = await addPerson(server, "tea", ["template-admin"]);
  expect(await author.call(getPrebuildsSettings, {})).toEqual(paused);
  const { body } = await server.request("GET", "/audit?q=resource_type:prebuilds_settings");
  expect(body).toMatchObject({
    count: 1,
    audit_logs: [
      {
        action: "write",
        user: { username: "admin" },
        diff: { reconciliation_paused: { old: false, new: true } },
        description: "{user} updated prebuilds settings {target}",
      },
    ],
  });
});

it("gives away what waits while it is paused, and goes on at once when it is resumed", async () => {
  const pool = await pushPool(server, 1);
  await fillPool(server, 1, opened);
  await setPaused(true);
  const { client } = await addPerson(server, "ann");
  // Waiting prebuilds can still be claimed; missing ones are built.
  expect((await claim(client, "one", pool)).latest_build.build_number).toBe(2);
  expect((await claim(client, "two", pool)).latest_build.build_number).toBe(1);
  expect(await server.admin.call(listPrebuildPools, {})).toMatchObject([
    { status: "paused", desired: 1, running: 0, starting: 0, claimed: 1 },
  ]);
  await setPaused(false);
  await waitForPrebuilds(server, 1);
});

it("traces claims, and nothing that still waits or was built for its owner", async () => {
  const pool = await pushPool(server, 2);
  await fillPool(server, 2, opened);
  const { client } = await addPerson(server, "ann");
  const workspace = await claim(client, "one", pool);
  await setPaused(true);
  await claim(client, "two", pool);
  await claim(client, "three", pool);
  const claims = await server.admin.call(listPrebuildClaims, {});
  expect(claims.map(({ workspace_name: name }) => name)).toEqual(["two", "one"]);
  const found = claims.at(-1);
  expect(found).toMatchObject({
    workspace_id: workspace.id,
    workspace_deleted: false,
    owner_name: "ann",
    template_name: "pool",
    preset_name: "ready",
    claimed_at: workspace.latest_build.created_at,
  });
  expect(found?.created_at).toBe(workspace.created_at);
  await expect(client.call(listPrebuildClaims, {})).rejects.toMatchObject({ status: 404 });
});

it("invalidates what waits, which is replaced then", async () => {
  const pool = await pushPool(server, 2);
  const filled = await fillPool(server, 2, opened);
  const before = new Set(filled.map(({ workspace }) => workspace.id));
  const params = { template: pool.template.id };
  const answer = await server.admin.call(invalidatePrebuilds, { params });
  const { body: version } = await server.request(
    "GET",
    `/templateversions/${pool.template.active_version_id}`,
  );
  expect(answer).toEqual({
    invalidated: [
      {
        template_name: "pool",
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the answer of that route
        template_version_name: (version as { readonly name: string }).name,
        preset_name: "ready",
      },
    ],
  });
  await vi.waitUntil(async () => {
    const waiting = await listPrebuilds(server.admin);
    return (
      waiting.length === 2 &&
      waiting.every(({ id, latest_build: build }) => {
        return build.status === "running" && !before.has(id);
      })
    );
  }, patiently);
  const { body } = await server.request("GET", "/audit?q=resource_type:template&limit=1");
  expect(body).toMatchObject({
    audit_logs: [
      { action: "write", additional_fields: { invalidated_presets: ["ready"] }, diff: {} },
    ],
  });
});

it("invalidates nothing where there is no pool", async () => {
  const template = await pushTemplate(
    server.admin,
    "plain",
    "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n",
  );
  expect(await server.admin.call(invalidatePrebuilds, { params: { template } })).toEqual({
    invalidated: [],
  });
  expect(await server.admin.call(listPrebuildPools, {})).toEqual([]);
});

it("lists pools with what is in them, and what became of them", async () => {
  const pool = await pushPool(server, 2);
  await fillPool(server, 1, opened, { instances: 2 });
  const [found] = await server.admin.call(listPrebuildPools, {});
  expect(found).toEqual({
    organization_id: pool.template.organization_id,
    organization_name: "default",
    template_id: pool.template.id,
    template_name: "pool",
    template_version_id: pool.template.active_version_id,
    template_version_name: expect.any(String),
    preset_id: pool.presetId,
    preset_name: "ready",
    active: true,
    desired: 2,
    running: 2,
    eligible: 1,
    starting: 0,
    claimed: 0,
    status: "healthy",
    backoff_until: null,
  });
  const { client } = await addPerson(server, "ann");
  await claim(client, "mine", pool);
  await waitForPrebuilds(server, 2);
  expect(await server.admin.call(listPrebuildPools, {})).toMatchObject([
    { running: 2, eligible: 0, claimed: 1 },
  ]);
  await setPaused(true);
  const params = { template: pool.template.id };
  await server.admin.call(updateTemplate, { params, body: { deprecation_message: "old" } });
  expect(await server.admin.call(listPrebuildPools, {})).toMatchObject([
    { active: false, desired: 0, running: 0, eligible: 0, claimed: 1, status: "paused" },
  ]);
  expect(await listPrebuilds(server.admin)).toHaveLength(2);
  await setPaused(false);
  await vi.waitUntil(async () => (await listPrebuilds(server.admin)).length === 0, patiently);
});

it("says why a pool is not filled", async () => {
  const pool = await pushPool(server, 3);
  const waiting = await waitForPrebuilds(server, 3);
  const state = () => server.admin.call(listPrebuildPools, {});
  await failBuilds(server, waiting.slice(0, 1));
  const [{ backoff_until } = { backoff_until: null }] = await state();
  expect(await state()).toMatchObject([{ status: "backed_off", running: 2 }]);
  const secondsLeft = (Date.parse(backoff_until ?? "") - Date.now()) / 1000;
  expect(secondsLeft).toBeGreaterThan(0);
  expect(secondsLeft).toBeLessThanOrEqual(60);
  await failBuilds(server, waiting);
  expect(await state()).toMatchObject([{ status: "hard_limited", running: 0, starting: 0 }]);
  const { client } = await addPerson(server, "ann");
  expect((await claim(client, "mine", pool)).latest_build.build_number).toBe(1);
  // Deleting the failed ones lifts the limit.
  for (const { name } of waiting) {
    const params = { user: "prebuilds", name };
    const { id } = await server.admin.call(getWorkspaceByName, { params });
    const body = { transition: "delete" } as const;
    await server.admin.call(createBuild, { params: { workspace: id }, body });
  }
  await setPaused(true);
  await setPaused(false);
  await waitForPrebuilds(server, 3);
  await server.db
    .updateTable("template_version_presets")
    .set({ prebuild_status: "validation_failed" })
    .execute();
  expect(await state()).toMatchObject([{ status: "validation_failed", running: 3 }]);
});

it("shows pools to those who write templates, and to nobody else", async () => {
  await pushPool(server, 0);
  const { client: author } = await addPerson(server, "tea", ["template-admin"]);
  expect(await author.call(listPrebuildPools, {})).toHaveLength(1);
  for (const role of ["auditor", "user-admin"] as const) {
    const { client } = await addPerson(server, role, [role]);
    await expect(client.call(listPrebuildPools, {})).rejects.toMatchObject({ status: 404 });
  }
});

it("refuses for a prebuild what only an owner could want", async () => {
  await pushPool(server, 1);
  const [prebuild] = await waitForPrebuilds(server, 1);
  const path = `/workspaces/${prebuild?.id}`;
  const { client: ann } = await addPerson(server, "ann");
  const { client: author } = await addPerson(server, "tea", ["template-admin"]);
  for (const [method, more, body] of [
    ["PATCH", "", { name: "mine" }],
    ["PUT", "/ttl", { ttl_ms: 3_600_000 }],
    ["PUT", "/autostart", { schedule: "0 9 * * 1-5" }],
    ["PUT", "/autoupdates", { automatic_updates: "always" }],
    ["PUT", "/dormant", { dormant: true }],
    ["PUT", "/extend", { deadline: new Date(Date.now() + 3_600_000).toISOString() }],
    [
      "POST",
      "/builds",
      { transition: "start", template_version_id: prebuild?.template_active_version_id },
    ],
    [
      "POST",
      "/builds",
      { transition: "start", rich_parameter_values: [{ name: "color", value: "red" }] },
    ],
  ] as const) {
    expect(await server.request(method, `${path}${more}`, body)).toMatchObject({
      status: 409,
      body: { message: `Workspace "${prebuild?.name}" is a prebuild that nobody has claimed yet.` },
    });
    expect(await server.request(method, `${path}${more}`, body, ann)).toMatchObject({
      status: 404,
    });
    expect(await server.request(method, `${path}${more}`, body, author)).toMatchObject({
      status: 403,
    });
  }
  expect(await server.request("PUT", `${path}/favorite`)).toMatchObject({ status: 403 });
  const params = { workspace: prebuild?.id ?? "" };
  const still = await server.admin.call(getWorkspace, { params });
  expect(still).toMatchObject({ name: prebuild?.name, ttl_ms: null, autostart_schedule: null });
  expect(still.latest_build.build_number).toBe(1);
});

it("lets administrators look at prebuilds by name, and stop and start them", async () => {
  await pushPool(server, 1);
  const [prebuild] = await waitForPrebuilds(server, 1);
  const params = { user: "prebuilds", name: prebuild?.name ?? "" };
  expect(await server.admin.call(getWorkspaceByName, { params })).toMatchObject({
    id: prebuild?.id,
    is_prebuild: true,
  });
  for (const roles of [[], ["user-admin"]] as const) {
    const { client } = await addPerson(server, `p${roles.length}`, [...roles]);
    await expect(client.call(getWorkspaceByName, { params })).rejects.toMatchObject({
      status: 404,
    });
    expect(await listPrebuilds(client)).toEqual([]);
  }
  for (const transition of ["stop", "start"] as const) {
    const workspace = prebuild?.id ?? "";
    await server.admin.call(createBuild, { params: { workspace }, body: { transition } });
    await vi.waitUntil(async () => {
      const { latest_build: build } = await server.admin.call(getWorkspace, {
        params: { workspace },
      });
      return build.transition === transition && build.job.status === "succeeded";
    }, patiently);
  }
});

it("has nobody act as the user who owns what waits", async () => {
  const id = "c42fdf75-3097-471c-8c33-fb52454d81c0";
  const { users } = await server.admin.call(listUsers, {});
  expect(users.map(({ username }) => username)).toEqual(["admin"]);
  const credentials = { email: "prebuilds@system", password: testPassword };
  for (const password of ["", testPassword]) {
    const answer = await server.request("POST", "/users/login", { ...credentials, password });
    expect([400, 401]).toContain(answer.status);
  }
  for (const reference of ["prebuilds", id]) {
    for (const [method, more, body] of [
      ["GET", "", undefined],
      ["DELETE", "", undefined],
      ["PUT", "/status/suspend", undefined],
      ["PUT", "/status/activate", undefined],
      ["PUT", "/password", { password: testPassword }],
      ["PUT", "/profile", { username: "mine" }],
      ["PUT", "/roles", { roles: ["owner"] }],
      ["POST", "/keys", undefined],
      ["POST", "/keys/tokens", {}],
      ["GET", "/keys/tokens", undefined],
      ["GET", "/gitsshkey", undefined],
      ["POST", "/workspaces", { name: "more", template_id: id }],
    ] as const) {
      const answer = await server.request(method, `/users/${reference}${more}`, body);
      expect([method, more, answer.status]).toEqual([method, more, 404]);
    }
  }
});

it("tells how many prebuilds a preset wants", async () => {
  const { template } = await pushPool(server, 2);
  const params = { version: template.active_version_id };
  expect(await server.admin.call(listTemplateVersionPresets, { params })).toMatchObject([
    { Name: "ready", DesiredPrebuildInstances: 2 },
  ]);
});

it("deletes a template of which nobody uses more than prebuilds, and them with it", async () => {
  const { template } = await pushPool(server, 2);
  await waitForPrebuilds(server, 2);
  const params = { template: template.id };
  expect(await server.admin.call(getTemplate, { params })).toMatchObject({ active_user_count: 0 });
  const made = await server.admin.call(createWorkspace, {
    params: { user: "me" },
    body: { name: "mine", template_id: template.id, rich_parameter_values: [] },
  });
  await expect(server.admin.call(deleteTemplate, { params })).rejects.toMatchObject({
    status: 400,
  });
  const workspace = { workspace: made.id };
  await vi.waitUntil(async () => {
    const { latest_build } = await server.admin.call(getWorkspace, { params: workspace });
    return latest_build.status === "running";
  }, patiently);
  await server.admin.call(createBuild, { params: workspace, body: { transition: "delete" } });
  await vi.waitUntil(
    () =>
      server.admin.call(deleteTemplate, { params }).then(
        () => true,
        () => false,
      ),
    patiently,
  );
  await vi.waitUntil(async () => (await listPrebuilds(server.admin)).length === 0, patiently);
});

async function metrics(): Promise<readonly string[]> {
  return (await (await fetch(`${server.url}/metrics`)).text()).split("\n");
}

it("tells Prometheus of pools, claims and looks", async () => {
  const pool = await pushPool(server, 2);
  await fillPool(server, 2, opened);
  const { client } = await addPerson(server, "ann");
  await claim(client, "mine", pool);
  await waitForPrebuilds(server, 2);
  const labels = '{template_name="pool",preset_name="ready",organization_name="default"}';
  const lines = await metrics();
  expect(lines).toEqual(
    expect.arrayContaining([
      `slipway_prebuilt_workspaces_created_total${labels} 3`,
      `slipway_prebuilt_workspaces_failed_total${labels} 0`,
      `slipway_prebuilt_workspaces_claimed_total${labels} 1`,
      `slipway_prebuilt_workspaces_desired${labels} 2`,
      `slipway_prebuilt_workspaces_running${labels} 2`,
      `slipway_prebuilt_workspaces_eligible${labels} 1`,
      `slipway_prebuilt_workspaces_preset_hard_limited${labels} 0`,
      `slipway_prebuilt_workspaces_preset_validation_failed${labels} 0`,
      "slipway_prebuilds_reconciliation_paused 0",
      `slipway_prebuilt_workspace_claim_duration_seconds_count${labels} 1`,
    ]),
  );
  const looks = lines.find((line) => line.includes("reconciliation_duration_seconds_count"));
  expect(Number(looks?.split(" ")[1])).toBeGreaterThan(0);
});

it("asks the database no more often than it must, and does without it", async () => {
  await using database = await openTestDatabase(inject("postgresUrl"));
  const registry = new Registry();
  const clock = createFakeClock();
  const needs = { db: database.db, clock, logger: silentLogger, limits: defaultReconciler };
  addPoolMetrics(registry, needs);
  const read = async () => /paused (\d)$/m.exec(await registry.metrics())?.[1];
  expect(await read()).toBe("0");
  await database.db
    .insertInto("deployment")
    .values({ key: "prebuilds_settings", value: '{"reconciliation_paused":true}' })
    .execute();
  expect(await read()).toBe("0");
  await clock.advance(30_000);
  expect(await read()).toBe("1");
  await database.db.destroy();
  expect(await read()).toBe("1");
  await clock.advance(30_000);
  expect(await read()).toBeUndefined();
});
