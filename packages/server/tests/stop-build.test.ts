import { randomUUID } from "node:crypto";

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
