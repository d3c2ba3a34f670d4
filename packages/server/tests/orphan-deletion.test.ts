import { getBuildLogs } from "@slipway/api/builds/routes";
import { createUser } from "@slipway/api/users/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace, getWorkspace } from "@slipway/api/workspaces/routes";
import { logIn, pushTemplate, readAgentToken, waitForWorkspace } from "@slipway/testkit";
import { afterAll, beforeAll, beforeEach, expect, inject, it } from "vitest";

import { type OpenServer, openServer } from "./support/open-server.ts";

/* Deletions that leave the resources of a workspace as they are (`orphan`). */

const template = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";
const member = { email: "member@example.com", password: "correct-horse-battery-42" };

const opened = new AsyncDisposableStack();
let server: OpenServer;
let templateId = "";
let workspaceId = "";
let count = 0;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  templateId = await pushTemplate(server.admin, "mine", template);
  await server.admin.call(createUser, { body: { username: "member", ...member } });
});

beforeEach(async () => {
  count += 1;
  const body = { name: `box-${count}`, template_id: templateId };
  const created = await server.admin.call(createWorkspace, { params: { user: "member" }, body });
  workspaceId = created.id;
  await waitForWorkspace(
    server.admin,
    workspaceId,
    ({ latest_build: { status } }) => status === "running",
  );
});

afterAll(() => opened.disposeAsync());

function deleteOrphan(client: Parameters<OpenServer["request"]>[3], transition = "delete") {
  const path = `/workspaces/${workspaceId}/builds`;
  return server.request("POST", path, { transition, orphan: true }, client);
}

it("deletes only the record, says what is left, and ends the agent's access", async () => {
  const token = await readAgentToken(server.admin, workspaceId);
  const agent = { headers: { "Coder-Session-Token": token } };
  const params = { workspace: workspaceId };
  const body = { transition: "delete", orphan: true } as const;
  const { id, ...build } = await server.admin.call(createBuild, { params, body });
  expect(build).toMatchObject({
    transition: "delete",
    status: "deleted",
    job: { status: "succeeded" },
  });
  const logs = await server.admin.call(getBuildLogs, { params: { build: id }, query: {} });
  expect(logs).toMatchObject([
    { stage: "Destroying workspace", output: "" },
    { output: "only the record was deleted; remove these resources yourself:" },
    { output: "coder_external_agent main" },
  ]);
  const audit = await server.request("GET", "/audit?q=resource_type:workspace_build&limit=1");
  expect(audit).toMatchObject({
    body: { audit_logs: [{ action: "delete", additional_fields: { orphan: true } }] },
  });
  const gone = { params: { workspace: workspaceId }, query: { include_deleted: "true" } };
  expect(await server.admin.call(getWorkspace, gone)).toMatchObject({
    latest_build: { status: "deleted" },
  });
  expect(await server.request("GET", `/workspaces/${workspaceId}`)).toMatchObject({ status: 404 });
  const own = "/workspaceagents/me/gitsshkey";
  expect(await server.request("GET", own, undefined, agent)).toMatchObject({ status: 401 });
});

it("is for those who write templates, and changes nothing for others", async () => {
  const owner = await logIn(server.url, member);
  expect(await deleteOrphan(owner)).toMatchObject({
    status: 403,
    body: { detail: expect.stringContaining("without its resources") },
  });
  expect(await server.request("GET", `/workspaces/${workspaceId}`)).toMatchObject({
    body: { latest_build: { status: "running" } },
  });
});

it("is refused for a start, with the name of the field", async () => {
  expect(await deleteOrphan(server.admin, "start")).toMatchObject({
    status: 400,
    body: { validations: [{ field: "orphan" }] },
  });
});
