import { createUser, createWorkspace, login, renameWorkspace } from "@slipway/api";
import { openClient, pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { type Answer, type OpenServer, openServer } from "./support/open-server.ts";

let server: OpenServer;
let workspaceId = "";

beforeAll(async () => {
  server = await openServer(inject("postgresUrl"));
  const yaml = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";
  const template_id = await pushTemplate(server.admin, "outside", yaml);
  const params = { user: "me" };
  const made = await server.admin.call(createWorkspace, {
    params,
    body: { name: "dev", template_id },
  });
  workspaceId = made.id;
  await waitForWorkspace(server.admin, workspaceId, (one) => one.latest_build.status === "running");
  await server.admin.call(renameWorkspace, {
    params: { workspace: workspaceId },
    body: { name: "renamed" },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

function audit(query: string): Promise<Answer> {
  return server.request("GET", `/audit?${query}`);
}

describe("the audit trail", () => {
  it("has who did what to which workspace, newest first, with what changed", async () => {
    const { body, status } = await audit("q=");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      count: 4,
      count_cap: 2000,
      audit_logs: [
        {
          action: "write",
          resource_type: "workspace",
          resource_id: workspaceId,
          resource_target: "dev",
          diff: { name: { old: "dev", new: "renamed", secret: false } },
          user: { username: "admin" },
          organization: { name: "default" },
          is_deleted: false,
        },
        { action: "start", resource_type: "workspace_build" },
        { action: "create", resource_type: "workspace", diff: {} },
        { action: "create", resource_type: "template", resource_target: "outside" },
      ],
    });
  });

  it("is searched and paged", async () => {
    const found = await audit("q=action:start+build_reason:initiator+username:admin");
    expect(found.body).toMatchObject({ count: 1, audit_logs: [{ action: "start" }] });
    expect((await audit("q=date_to:2020-01-01")).body).toMatchObject({ count: 0, audit_logs: [] });
    const page = await audit("limit=1&offset=2");
    expect(page.body).toMatchObject({ count: 4, audit_logs: [{ action: "create" }] });
    expect(await audit("q=bogus:1")).toMatchObject({
      status: 400,
      body: { validations: [{ field: "bogus" }] },
    });
  });

  it("keeps nothing of a change that was refused", async () => {
    const path = `/workspaces/${workspaceId}`;
    expect(await server.request("PATCH", path, { name: "a b" })).toMatchObject({ status: 400 });
    expect((await audit("")).body).toMatchObject({ count: 4 });
  });

  it("tells of users, without their secrets", async () => {
    const account = { email: "max@example.com", password: "correct-horse-battery-42" };
    const { id } = await server.admin.call(createUser, { body: { ...account, username: "max" } });
    await server.request("PUT", `/users/${id}/password`, { password: "another-horse-battery-42" });
    await server.request("PUT", "/users/max/roles", { roles: ["auditor"] });
    await server.request("PUT", "/users/max/status/suspend");
    await server.request("DELETE", "/users/max");
    const { body } = await audit("q=resource_type:user");
    expect(body).toMatchObject({
      count: 5,
      audit_logs: [
        { action: "delete", resource_target: "max" },
        { action: "write", diff: { status: { old: "dormant", new: "suspended" } } },
        { action: "write", diff: { roles: { old: [], new: ["auditor"] } } },
        { action: "write", diff: { password: { old: "", new: "", secret: true } } },
        { action: "create" },
      ],
    });
    expect(JSON.stringify(body)).not.toContain("horse");
  });

  it("is not for members", async () => {
    const account = { email: "eve@example.com", password: "correct-horse-battery-42" };
    await server.admin.call(createUser, { body: { ...account, username: "eve" } });
    const anonymous = openClient(server.url);
    const { session_token: token } = await anonymous.call(login, { body: account });
    const eve = openClient(server.url, token);
    expect(await server.request("GET", "/audit", undefined, eve)).toMatchObject({ status: 403 });
    const path = `/workspaces/${workspaceId}`;
    for (const [method, more, body] of [
      ["PATCH", "", { name: "mine" }],
      ["PUT", "/favorite", undefined],
      ["GET", "/watch", undefined],
      ["PUT", "/ttl", { ttl_ms: null }],
      ["PUT", "/dormant", { dormant: true }],
    ] as const) {
      const answer = await server.request(method, `${path}${more}`, body, eve);
      expect(answer).toMatchObject({ status: 404 });
    }
  });
});
