import { randomUUID } from "node:crypto";

import { getTemplate } from "@slipway/api/templates/routes";
import { createTemplateVersion } from "@slipway/api/templates/version-routes";
import { createUser, login, suspendUser } from "@slipway/api/users/routes";
import { createWorkspace, renameWorkspace } from "@slipway/api/workspaces/routes";
import { openClient, pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";

import { insertAuditEntry } from "../src/features/audit/service.ts";
import { type Answer, type OpenServer, openServer } from "./support/open-server.ts";

let server: OpenServer;
let workspaceId = "";

const yaml = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";

beforeAll(async () => {
  server = await openServer(inject("postgresUrl"));
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
      count: 7,
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
        { action: "create", resource_type: "template_version" },
        { action: "create", resource_type: "file" },
        { action: "login", resource_type: "api_key" },
      ],
    });
  });

  it("is searched and paged", async () => {
    const found = await audit("q=action:start+build_reason:initiator+username:admin");
    expect(found.body).toMatchObject({ count: 1, audit_logs: [{ action: "start" }] });
    expect((await audit("q=date_to:2020-01-01")).body).toMatchObject({ count: 0, audit_logs: [] });
    const others = await audit(
      "q=-action:create+-action:login+-username:nobody+-build_reason:initiator+-outside",
    );
    expect(others.body).toMatchObject({ count: 1, audit_logs: [{ action: "write" }] });
    expect((await audit("q=-username:admin")).body).toMatchObject({ count: 0 });
    const page = await audit("limit=1&offset=2");
    expect(page.body).toMatchObject({ count: 7, audit_logs: [{ action: "create" }] });
    expect(await audit("q=bogus:1")).toMatchObject({
      status: 400,
      body: { validations: [{ field: "bogus" }] },
    });
  });

  it("keeps nothing of a change that was refused", async () => {
    const path = `/workspaces/${workspaceId}`;
    expect(await server.request("PATCH", path, { name: "a b" })).toMatchObject({ status: 400 });
    expect((await audit("")).body).toMatchObject({ count: 7 });
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

  it("tells by which request, from where and with what status", async () => {
    const headers = { ...server.admin.headers, "User-Agent": "test/1" };
    const path = `${server.url}/api/v2/users/me/keys/tokens`;
    const body = JSON.stringify({ token_name: "ci" });
    const answer = await fetch(path, { method: "POST", headers, body });
    expect(answer.status).toBe(201);
    expect((await audit("q=resource_type:api_key+resource_target:ci")).body).toMatchObject({
      audit_logs: [
        {
          request_id: answer.headers.get("x-coder-request-id"),
          ip: "127.0.0.1",
          user_agent: "test/1",
          status_code: 201,
          action: "create",
          description: "{user} created api key {target}",
        },
      ],
    });
  });

  it("has log-ins that went well and that did not, and log-outs", async () => {
    const account = { email: "lea@example.com", password: "correct-horse-battery-42" };
    const { id } = await server.admin.call(createUser, { body: { ...account, username: "lea" } });
    const anonymous = openClient(server.url);
    const tries = [
      { ...account, password: "wrong" },
      { ...account, email: "secret-typed-here@example.com" },
    ];
    for (const body of tries) {
      const answer = await server.request("POST", "/users/login", body, anonymous);
      expect(answer).toMatchObject({ status: 401 });
    }
    const { session_token: token } = await anonymous.call(login, { body: account });
    await server.request("POST", "/users/logout", undefined, openClient(server.url, token));
    await server.admin.call(suspendUser, { params: { user: id } });
    const suspended = await server.request("POST", "/users/login", account, anonymous);
    expect(suspended).toMatchObject({ status: 401 });
    // Refusals are recorded concurrently with the response.
    await vi.waitFor(async () => {
      expect((await audit("q=action:login+username:lea")).body).toMatchObject({ count: 3 });
    });
    const { body } = await audit("q=resource_type:api_key&limit=4");
    const lea = { username: "lea" };
    expect(body).toMatchObject({
      audit_logs: [
        { action: "login", status_code: 401, resource_id: id, user: lea },
        { action: "logout", status_code: 200, user: lea, description: "{user} logged out" },
        { action: "login", status_code: 201, user: lea, description: "{user} logged in" },
        { status_code: 401, user: lea, description: "{user} unsuccessfully attempted to log in" },
      ],
    });
    expect(JSON.stringify(body)).not.toContain("secret-typed-here");
    const found = await audit("q=action:login+username:lea");
    expect(found.body).toMatchObject({ count: 3 });
    // An attempt by somebody unknown is not one by lea.
    await insertAuditEntry(server.db, {
      by: { id: undefined, origin: undefined },
      organizationId: undefined,
      action: "login",
      resourceType: "api_key",
      resourceId: randomUUID(),
      target: "",
      diff: {},
    });
    const byOthers = await audit("q=action:login+-username:lea+-username:admin");
    expect(byOthers.body).toMatchObject({ count: 1, audit_logs: [{ user: null }] });
  });

  it("has keys, tokens and what becomes of them", async () => {
    const { body: made } = await server.request("POST", "/users/me/keys/tokens", {
      token_name: "short",
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the answer of that route
    const id = (made as { readonly key: string }).key.split("-")[0] ?? "";
    await server.request("PUT", `/users/me/keys/${id}/expire`);
    await server.request("DELETE", `/users/me/keys/${id}`);
    await server.request("POST", "/users/me/keys");
    await server.request("PUT", "/users/me/gitsshkey");
    const { body } = await audit("limit=5");
    expect(body).toMatchObject({
      audit_logs: [
        {
          action: "write",
          resource_type: "git_ssh_key",
          diff: { private_key: { old: "", new: "", secret: true } },
        },
        { action: "create", resource_type: "api_key", resource_target: "" },
        { action: "delete", resource_type: "api_key", resource_target: "short" },
        { action: "write", resource_target: "short", diff: { expires_at: { secret: false } } },
        { action: "create", resource_target: "short", diff: { scopes: { new: ["coder:all"] } } },
      ],
    });
    expect(JSON.stringify(body)).not.toContain("PRIVATE KEY");
  });

  it("has what is done to templates and their versions", async () => {
    const templateId = await pushTemplate(server.admin, "changing", yaml);
    const params = { template: templateId };
    const { active_version_id: first } = await server.admin.call(getTemplate, { params });
    const { id: second } = await server.admin.call(createTemplateVersion, {
      params: { organization: "default" },
      body: { template_id: templateId, example_id: "external", name: "second" },
    });
    await expect
      .poll(async () => server.request("GET", `/templateversions/${second}`))
      .toMatchObject({ body: { job: { status: "succeeded" } } });
    await server.request("PATCH", `/templates/${templateId}/versions`, { id: second });
    const changes = { display_name: "Changing", deprecation_message: "use another" };
    await server.request("PATCH", `/templates/${templateId}`, changes);
    await server.request("PATCH", `/templateversions/${first}`, { message: "the first" });
    await server.request("POST", `/templateversions/${first}/archive`);
    await server.request("POST", `/templateversions/${first}/unarchive`);
    for (const _ of ["once", "again"]) {
      await server.request("POST", `/templates/${templateId}/versions/archive`, { all: true });
    }
    await server.request("DELETE", `/templates/${templateId}`);
    expect((await audit("limit=11")).body).toMatchObject({
      audit_logs: [
        { action: "delete", resource_type: "template", resource_target: "changing" },
        {
          action: "write",
          resource_type: "template",
          additional_fields: { archived_version_ids: [first] },
        },
        { resource_type: "template_version", diff: { archived: { old: true, new: false } } },
        { resource_type: "template_version", diff: { archived: { old: false, new: true } } },
        { resource_type: "template_version", diff: { message: { new: "the first" } } },
        {
          resource_type: "template",
          diff: { display_name: { new: "Changing" }, deprecation_message: { new: "use another" } },
        },
        { resource_type: "template", diff: { active_version_id: { old: first } } },
        { action: "create", resource_type: "template_version", resource_id: second },
        // From the example.
        { action: "create", resource_type: "file" },
        { action: "create", resource_type: "template" },
        { action: "create", resource_type: "template_version", resource_id: first },
      ],
    });
  });

  it("is read in pages of at most 100 entries", async () => {
    const entry = { action: "write", resource_type: "user", resource_id: randomUUID() } as const;
    const values = Array.from({ length: 120 }, () => ({ ...entry, resource_target: "many" }));
    await server.db.insertInto("audit_log").values(values).execute();
    for (const limit of ["", "&limit=0", "&limit=101", "&limit=1000000"]) {
      const { body } = await audit(`q=resource_target:many${limit}`);
      expect([limit, body]).toMatchObject([limit, { audit_logs: { length: 100 } }]);
    }
    const { body } = await audit("q=resource_target:many&offset=100");
    expect(body).toMatchObject({ audit_logs: expect.objectContaining({ length: 20 }), count: 120 });
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
