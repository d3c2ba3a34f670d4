import { createWorkspace } from "@slipway/api/workspaces/routes";
import { pushTemplate, readAgentToken, waitForWorkspace } from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { topics } from "../src/platform/pubsub/pubsub.ts";
import { hearHints } from "./support/hear-hints.ts";
import { type OpenServer, openServer } from "./support/open-server.ts";
import { addPerson, type Person } from "./support/people.ts";

/* Changes that clients with a view of them see at once, on every server, and not at their next look. */

const yaml = `driver: external
agents: { main: { os: linux, arch: amd64, apps: { web: { url: "http://localhost:80" } } } }
`;

const opened = new AsyncDisposableStack();
let server: OpenServer;
let ann: Person;
let workspaceId: string;
let templateId: string;
let versionId: string;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  templateId = await pushTemplate(server.admin, "hinted", yaml);
  ann = await addPerson(server, "ann");
  const body = { name: "dev", template_id: templateId, ttl_ms: 3_600_000 };
  const { id, latest_build: build } = await ann.client.call(createWorkspace, {
    params: { user: "me" },
    body,
  });
  workspaceId = id;
  versionId = build.template_version_id;
  await waitForWorkspace(ann.client, id, (one) => one.latest_build.job.status === "succeeded");
});
afterAll(() => opened.disposeAsync());

it.each([
  ["PUT", "/workspaces/:id/ttl", { ttl_ms: 7_200_000 }],
  ["PUT", "/workspaces/:id/extend", { deadline: new Date(Date.now() + 7_200_000).toISOString() }],
  ["POST", "/workspaces/:id/usage", undefined],
  ["PUT", "/workspaces/:id/dormant", { dormant: true }],
  ["PUT", "/workspaces/:id/dormant", { dormant: false }],
])("%s %s hints at the workspace", async (method, path, body) => {
  await using listening = new AsyncDisposableStack();
  const heard = await hearHints(listening, server, [topics.workspace(workspaceId)]);
  const { status } = await server.request(method, path.replace(":id", workspaceId), body);
  expect([200, 204]).toContain(status);
  await expect.poll(heard).toEqual([true]);
});

it("changes of a template, and a dry run of it, hint at its workspaces and at workers", async () => {
  const template = `/templates/${templateId}`;
  for (const [method, path, body, topic] of [
    ["PATCH", template, { display_name: "Hinted" }, topics.template(templateId)],
    ["PATCH", `${template}/versions`, { id: versionId }, topics.template(templateId)],
    ["POST", `/templateversions/${versionId}/dry-run`, {}, topics.jobQueue],
  ] as const) {
    await using listening = new AsyncDisposableStack();
    const heard = await hearHints(listening, server, [topic]);
    const { status } = await server.request(method, path, body);
    expect([200, 201]).toContain(status);
    await expect.poll(heard).toEqual([true]);
  }
});

it("a status that an agent reports hints at its workspace", async () => {
  await using listening = new AsyncDisposableStack();
  const heard = await hearHints(listening, server, [topics.workspace(workspaceId)]);
  const token = await readAgentToken(ann.client, workspaceId);
  const agent = { headers: { "Coder-Session-Token": token } };
  const body = { app_slug: "web", state: "working", message: "at it", uri: "" };
  const path = "/workspaceagents/me/app-status";
  expect(await server.request("PATCH", path, body, agent)).toMatchObject({ status: 200 });
  await expect.poll(heard).toEqual([true]);
});

it("a notification hints at its user", async () => {
  await using listening = new AsyncDisposableStack();
  const { user, client } = ann;
  const heard = await hearHints(listening, server, [topics.inbox(user.id)]);
  const content = { title: "Look", message: "at this" };
  expect(await server.request("POST", "/notifications/custom", { content }, client)).toMatchObject({
    status: 204,
  });
  await expect.poll(heard).toEqual([true]);
});

it("what ends or changes sessions of a user hints at them", async () => {
  const { user } = await addPerson(server, "bea", ["auditor"]);
  const maker = await addPerson(server, "cid", ["owner"]);
  const made = await server.request("POST", "/users/bea/keys", undefined, maker.client);
  const [keyId = ""] = String(Object(made.body).key).split("-", 1);
  for (const [path, body] of [
    ["/users/cid/status/suspend", undefined],
    [`/users/bea/keys/${keyId}/expire`, undefined],
    ["/users/bea/roles", { roles: [] }],
  ] as const) {
    await using listening = new AsyncDisposableStack();
    const heard = await hearHints(listening, server, [topics.sessions(user.id)]);
    const { status } = await server.request("PUT", path, body);
    expect([200, 204]).toContain(status);
    await expect.poll(heard).toEqual([true]);
  }
});

it("a workspace that somebody else makes dormant hints at its owner's notifications", async () => {
  await using listening = new AsyncDisposableStack();
  const heard = await hearHints(listening, server, [topics.inbox(ann.user.id)]);
  const path = `/workspaces/${workspaceId}/dormant`;
  expect(await server.request("PUT", path, { dormant: true })).toMatchObject({ status: 200 });
  await expect.poll(heard).toEqual([true]);
});
