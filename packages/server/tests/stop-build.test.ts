import { randomUUID } from "node:crypto";

import { getBuildLogs, listBuildParameters } from "@slipway/api/builds/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { type OpenServer, openServer } from "./support/open-server.ts";

const template = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";

const opened = new AsyncDisposableStack();
let server: OpenServer;
let workspace: Workspace;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  const templateId = await pushTemplate(server.admin, "mine", template);
  const body = { name: "dev", template_id: templateId };
  const { id } = await server.admin.call(createWorkspace, { params: { user: "me" }, body });
  workspace = await waitForWorkspace(
    server.admin,
    id,
    ({ latest_build: build }) => build.job.status === "succeeded",
  );
});

afterAll(() => opened.disposeAsync());

it("refuses to start with a preset that the version does not have", async () => {
  const body = { transition: "start", template_version_preset_id: randomUUID() };
  expect(await server.request("POST", `/workspaces/${workspace.id}/builds`, body)).toMatchObject({
    status: 400,
    body: { validations: [{ field: "template_version_preset_id" }] },
  });
});

it("stops whatever preset the request names, for a stop chooses none", async () => {
  const body = { transition: "stop", template_version_preset_id: randomUUID() };
  expect(await server.request("POST", `/workspaces/${workspace.id}/builds`, body)).toMatchObject({
    status: 201,
    body: { transition: "stop" },
  });
});

it("creates a workspace stopped, whose first start takes the values of its creation", async () => {
  const definition = `${template}parameters:\n  size: { type: number, default: 1 }\n`;
  const { admin } = server;
  const templateId = await pushTemplate(admin, "sized", definition);
  const created = await admin.call(createWorkspace, {
    params: { user: "me" },
    body: {
      name: "later",
      template_id: templateId,
      transition: "stop",
      rich_parameter_values: [{ name: "size", value: "7" }],
    },
  });
  expect(created.latest_build).toMatchObject({
    build_number: 1,
    transition: "stop",
    status: "stopped",
    resources: [],
    job: { status: "succeeded" },
  });
  const logs = await admin.call(getBuildLogs, { params: { build: created.latest_build.id } });
  expect(logs.map(({ output }) => output)).toEqual([
    "the workspace was created stopped, and nothing was built",
  ]);

  const params = { workspace: created.id };
  const started = await admin.call(createBuild, { params, body: { transition: "start" } });
  await waitForWorkspace(
    admin,
    created.id,
    ({ latest_build: build }) => build.status === "running",
  );
  expect(await admin.call(listBuildParameters, { params: { build: started.id } })).toEqual([
    { name: "size", value: "7" },
  ]);
});

it("refuses values that the template does not allow for a workspace that is created stopped", async () => {
  const body = {
    name: "wrong",
    template_id: workspace.template_id,
    transition: "stop",
    rich_parameter_values: [{ name: "size", value: "7" }],
  };
  expect(await server.request("POST", "/users/me/workspaces", body)).toMatchObject({ status: 400 });
});

it("refuses to create a workspace whose first build deletes it", async () => {
  const body = { name: "gone", template_id: workspace.template_id, transition: "delete" };
  expect(await server.request("POST", "/users/me/workspaces", body)).toMatchObject({ status: 400 });
});
