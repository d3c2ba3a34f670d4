import { listPrebuildPools } from "@slipway/api/prebuilds/routes";
import { listTemplateVersionPresets } from "@slipway/api/templates/version-routes";
import { listUsers } from "@slipway/api/users/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { getWorkspace, getWorkspaceByName } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { freshName } from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it, vi } from "vitest";

import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, testPassword } from "./support/people.ts";
import { listPrebuilds, pushPool, type TestPool, waitForPrebuilds } from "./support/pool.ts";

/* Who sees and changes pools, and the prebuilds that wait in them. */

const patiently = { timeout: 30_000, interval: 50 };

let server: OpenServer;
let pool: TestPool;
let prebuilds: readonly Workspace[] = [];

beforeAll(async () => {
  server = await openServer(inject("postgresUrl"));
  pool = await pushPool(server, 2);
  prebuilds = await waitForPrebuilds(server, 2);
});

afterAll(() => server[Symbol.asyncDispose]());

it("shows pools to those who write templates, and to nobody else", async () => {
  const { client: author } = await addPerson(server, freshName("tea"), ["template-admin"]);
  expect(await author.call(listPrebuildPools, {})).toHaveLength(1);
  for (const role of ["auditor", "user-admin"] as const) {
    const { client } = await addPerson(server, freshName(role), [role]);
    await expect(client.call(listPrebuildPools, {})).rejects.toMatchObject({ status: 404 });
  }
});

it("refuses for a prebuild what only an owner could want", async () => {
  const [prebuild] = prebuilds;
  const path = `/workspaces/${prebuild?.id}`;
  const { client: ann } = await addPerson(server, freshName("ann"));
  const { client: author } = await addPerson(server, freshName("tea"), ["template-admin"]);
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
  const [, prebuild] = prebuilds;
  const params = { user: "prebuilds", name: prebuild?.name ?? "" };
  expect(await server.admin.call(getWorkspaceByName, { params })).toMatchObject({
    id: prebuild?.id,
    is_prebuild: true,
  });
  for (const roles of [[], ["user-admin"]] as const) {
    const { client } = await addPerson(server, freshName("member"), [...roles]);
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
  expect(users.map(({ username }) => username)).toContain("admin");
  expect(users.map(({ username }) => username)).not.toContain("prebuilds");
  expect(users.map((user) => user.id)).not.toContain(id);
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
  const params = { version: pool.template.active_version_id };
  expect(await server.admin.call(listTemplateVersionPresets, { params })).toMatchObject([
    { Name: "ready", DesiredPrebuildInstances: 2 },
  ]);
});
