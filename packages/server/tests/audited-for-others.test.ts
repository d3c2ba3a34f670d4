import { createWorkspace } from "@slipway/api/workspaces/routes";
import { pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { type OpenServer, openServer } from "./support/open-server.ts";
import { addPerson, type Client } from "./support/people.ts";

/* Changes that an administrator makes for others: the entry names the administrator, what is changed, and how. */

const yaml = "driver: external\nagents: { main: { os: linux, arch: amd64 } }\n";
const schedule = "CRON_TZ=UTC 30 9 * * 1-5";
const deadline = new Date(Date.now() + 7_200_000).toISOString();

let server: OpenServer;
let workspaceId: string;
let ann: Client;

beforeAll(async () => {
  server = await openServer(inject("postgresUrl"));
  const templateId = await pushTemplate(server.admin, "outside", yaml);
  ({ client: ann } = await addPerson(server, "ann"));
  const { id } = await ann.call(createWorkspace, {
    params: { user: "me" },
    body: { name: "dev", template_id: templateId, ttl_ms: 3_600_000 },
  });
  workspaceId = id;
  await waitForWorkspace(ann, id, (one) => one.latest_build.job.status === "succeeded");
});
afterAll(() => server[Symbol.asyncDispose]());

const workspace = { resource_type: "workspace", resource_target: "dev", action: "write" };
const bob = { resource_type: "user", resource_target: "bob" };
const port = { agent_name: "main", port: 8080 };
const share = (level: string) => ({ ...port, share_level: level, protocol: "http" });
const change = (field: string, old: unknown, now: unknown) => ({
  diff: { [field]: { old, new: now } },
});

type Change = readonly [method: string, path: string, body: object | undefined, entry: object];

/** Makes changes as the administrator, one after the other; the newest entry is that of the change. */
async function expectRecorded(...changes: readonly Change[]): Promise<void> {
  for (const [method, path, body, entry] of changes) {
    const { status } = await server.request(method, path.replace(":id", workspaceId), body);
    expect([200, 201, 204]).toContain(status);
    const newest = await server.request("GET", "/audit?limit=1");
    expect(Object(newest.body).audit_logs).toMatchObject([
      { ...entry, user: { username: "admin" } },
    ]);
  }
}

it.each<[subject: string, ...changes: Change[]]>([
  [
    "the time after which a workspace stops",
    [
      "PUT",
      "/workspaces/:id/ttl",
      { ttl_ms: 7_200_000 },
      { ...workspace, ...change("ttl_ms", 3_600_000, 7_200_000) },
    ],
  ],
  [
    "the schedule of a workspace",
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
  ],
  [
    "the deadline of a build",
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
  ],
  [
    "a shared port",
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
  ],
  [
    "the dormancy of a workspace",
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
  ],
  [
    "the SSH key of a user",
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
  ],
  [
    "a user",
    [
      "POST",
      "/users",
      { username: "bob", email: "bob@example.com", login_type: "none" },
      { resource_type: "user", resource_target: "bob", action: "create" },
    ],
    [
      "PUT",
      "/users/bob/status/suspend",
      undefined,
      { ...bob, ...change("status", "dormant", "suspended") },
    ],
    [
      "PUT",
      "/users/bob/status/activate",
      undefined,
      { ...bob, ...change("status", "suspended", "active") },
    ],
    ["DELETE", "/users/bob", undefined, { ...bob, action: "delete" }],
  ],
])("%s", async (_, ...changes) => {
  await expectRecorded(...changes);
});

it("a token, and the sessions, of a user", async () => {
  const name = { token_name: "ci" };
  const { body } = await server.request("POST", "/users/me/keys/tokens", name, ann);
  const [keyId] = String(Object(body).key).split("-", 1);
  const token = { resource_type: "api_key", resource_target: "ci" };
  await expectRecorded(
    [
      "PUT",
      `/users/ann/keys/${keyId}/expire`,
      undefined,
      { ...token, ...change("expires_at", expect.any(String), expect.any(String)) },
    ],
    ["DELETE", `/users/ann/keys/${keyId}`, undefined, { ...token, action: "delete" }],
    [
      "DELETE",
      "/users/ann/sessions",
      undefined,
      { resource_type: "api_key", resource_target: "", action: "delete" },
    ],
  );
});
