import { createWorkspace } from "@slipway/api/workspaces/routes";
import { pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { type OpenServer, openServer } from "./support/open-server.ts";
import { addPerson } from "./support/people.ts";

/* Changes that an administrator makes for others: the entry names the administrator, what is changed, and how. */

const yaml = "driver: external\nagents: { main: { os: linux, arch: amd64 } }\n";
const schedule = "CRON_TZ=UTC 30 9 * * 1-5";
const deadline = new Date(Date.now() + 7_200_000).toISOString();

let server: OpenServer;
let workspaceId: string;
let keyId: string;

beforeAll(async () => {
  server = await openServer(inject("postgresUrl"));
  const templateId = await pushTemplate(server.admin, "outside", yaml);
  const { client } = await addPerson(server, "ann");
  const { id } = await client.call(createWorkspace, {
    params: { user: "me" },
    body: { name: "dev", template_id: templateId, ttl_ms: 3_600_000 },
  });
  workspaceId = id;
  await waitForWorkspace(client, id, (one) => one.latest_build.job.status === "succeeded");
  const { body } = await server.request(
    "POST",
    "/users/me/keys/tokens",
    { token_name: "ci" },
    client,
  );
  [keyId = ""] = String(Object(body).key).split("-", 1);
});
afterAll(() => server[Symbol.asyncDispose]());

const workspace = { resource_type: "workspace", resource_target: "dev", action: "write" };
const user = { resource_type: "user", resource_target: "ann", action: "write" };
const port = { agent_name: "main", port: 8080 };
const share = (level: string) => ({ ...port, share_level: level, protocol: "http" });
const change = (field: string, old: unknown, now: unknown) => ({
  diff: { [field]: { old, new: now } },
});

it.each([
  [
    "PUT",
    "/workspaces/:id/ttl",
    { ttl_ms: 7_200_000 },
    { ...workspace, ...change("ttl_ms", 3_600_000, 7_200_000) },
  ],
  [
    "PUT",
    "/workspaces/:id/autostart",
    { schedule },
    { ...workspace, ...change("autostart_schedule", null, schedule) },
  ],
  [
    "PUT",
    "/workspaces/:id/autostart",
    {},
    { ...workspace, ...change("autostart_schedule", schedule, null) },
  ],
  [
    "PUT",
    "/workspaces/:id/extend",
    { deadline },
    {
      resource_type: "workspace_build",
      resource_target: "dev",
      diff: { deadline: { new: deadline } },
    },
  ],
  [
    "POST",
    "/workspaces/:id/port-share",
    share("authenticated"),
    { ...workspace, ...change("port_share_level", "owner", "authenticated") },
  ],
  [
    "POST",
    "/workspaces/:id/port-share",
    share("public"),
    { ...workspace, ...change("port_share_level", "authenticated", "public") },
  ],
  [
    "DELETE",
    "/workspaces/:id/port-share",
    port,
    { ...workspace, ...change("port_share_level", "public", "owner") },
  ],
  [
    "PUT",
    "/workspaces/:id/dormant",
    { dormant: true },
    { ...workspace, ...change("dormant_at", null, expect.any(String)) },
  ],
  [
    "PUT",
    "/workspaces/:id/dormant",
    { dormant: false },
    { ...workspace, ...change("dormant_at", expect.any(String), null) },
  ],
  [
    "PUT",
    "/users/ann/keys/:key/expire",
    undefined,
    {
      resource_type: "api_key",
      resource_target: "ci",
      ...change("expires_at", expect.any(String), expect.any(String)),
    },
  ],
  [
    "DELETE",
    "/users/ann/keys/:key",
    undefined,
    { resource_type: "api_key", resource_target: "ci", action: "delete" },
  ],
  [
    "DELETE",
    "/users/ann/sessions",
    undefined,
    { resource_type: "api_key", resource_target: "", action: "delete" },
  ],
  ["PUT", "/users/ann/gitsshkey", undefined, { resource_type: "git_ssh_key", action: "write" }],
  [
    "PUT",
    "/users/ann/gitsshkey",
    undefined,
    {
      resource_type: "git_ssh_key",
      ...change("public_key", expect.any(String), expect.any(String)),
    },
  ],
  [
    "PUT",
    "/users/ann/status/suspend",
    undefined,
    { ...user, ...change("status", "active", "suspended") },
  ],
  [
    "PUT",
    "/users/ann/status/activate",
    undefined,
    { ...user, ...change("status", "suspended", "active") },
  ],
  [
    "POST",
    "/users",
    { username: "bob", email: "bob@example.com", login_type: "none" },
    { resource_type: "user", resource_target: "bob", action: "create" },
  ],
  [
    "DELETE",
    "/users/bob",
    undefined,
    { resource_type: "user", resource_target: "bob", action: "delete" },
  ],
])("%s %s %j", async (method, path, body, entry) => {
  const named = path.replace(":id", workspaceId).replace(":key", keyId);
  const { status } = await server.request(method, named, body);
  expect([200, 201, 204]).toContain(status);
  const newest = await server.request("GET", "/audit?limit=1");
  expect(Object(newest.body).audit_logs).toMatchObject([{ ...entry, user: { username: "admin" } }]);
});
