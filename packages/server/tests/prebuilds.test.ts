import {
  getPrebuildsSettings,
  invalidatePrebuilds,
  listPrebuildClaims,
  listPrebuildPools,
  updatePrebuildsSettings,
} from "@slipway/api/prebuilds/routes";
import { deleteTemplate, getTemplate, updateTemplate } from "@slipway/api/templates/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace, getWorkspace, getWorkspaceByName } from "@slipway/api/workspaces/routes";
import { pushTemplate } from "@slipway/testkit";
import { afterEach, beforeEach, expect, inject, it, vi } from "vitest";

import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson } from "./support/people.ts";
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
