import type { SharingLevel } from "@slipway/api/agents/app";
import { listAuditLogs } from "@slipway/api/audit/routes";
import { updateTemplate } from "@slipway/api/templates/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { listPortShares, sharePort, unsharePort } from "@slipway/api/workspaces/port-share-routes";
import type { PortShareRequest } from "@slipway/api/workspaces/port-share-routes";
import { createWorkspace, getWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { levelOrder } from "../src/features/workspaces/port-shares/levels.ts";
import { selectPortShare } from "../src/features/workspaces/port-shares/queries.ts";
import { maxPortShares } from "../src/features/workspaces/port-shares/service.ts";
import { topics } from "../src/platform/pubsub/pubsub.ts";
import { hearHints } from "./support/hear-hints.ts";
import { type OpenServer, openServer } from "./support/open-server.ts";
import { addPerson, type Client, type Person } from "./support/people.ts";
import { claim, fillPool, pushPool } from "./support/pool.ts";

const opened = new AsyncDisposableStack();
let server: OpenServer;
let ann: Person;
let templateId = "";

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  ann = await addPerson(server, "ann");
  templateId = await pushTemplate(
    server.admin,
    "box",
    "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n  other: { os: linux, arch: amd64 }\n",
  );
});

afterAll(() => opened.disposeAsync());

async function makeBox(name: string, client: Client = ann.client): Promise<Workspace> {
  const { id } = await client.call(createWorkspace, {
    params: { user: "me" },
    body: { name, template_id: templateId },
  });
  return waitForWorkspace(client, id, ({ latest_build }) => latest_build.status === "running");
}

function share(
  { id }: Pick<Workspace, "id">,
  request: Partial<PortShareRequest> = {},
  client = ann.client,
) {
  const body = { agent_name: "main", port: 8080, share_level: "public", ...request } as const;
  return client.call(sharePort, { params: { workspace: id }, body });
}

async function sharesOf({ id }: Pick<Workspace, "id">, client = ann.client) {
  return (await client.call(listPortShares, { params: { workspace: id } })).shares;
}

async function build({ id }: Pick<Workspace, "id">, transition: "start" | "stop" | "delete") {
  const params = { workspace: id };
  await ann.client.call(createBuild, { params, body: { transition } });
  const status = { start: "running", stop: "stopped", delete: "deleted" }[transition];
  const query = { include_deleted: "true" };
  await expect
    .poll(async () => (await ann.client.call(getWorkspace, { params, query })).latest_build.status)
    .toBe(status);
}

async function allowAtMost(level: SharingLevel): Promise<void> {
  const params = { template: templateId };
  const body = { max_port_share_level: level };
  const template = await server.admin.call(updateTemplate, { params, body });
  expect(template).toMatchObject(body);
}

it("shares a port, changes how, and stops sharing it", async () => {
  const box = await makeBox("one");
  expect(await sharesOf(box)).toEqual([]);
  const first = { workspace_id: box.id, agent_name: "main", port: 8080, protocol: "http" } as const;
  expect(await share(box)).toEqual({ ...first, share_level: "public" });
  const changed = { share_level: "authenticated", protocol: "https" } as const;
  expect(await share(box, changed)).toEqual({ ...first, ...changed });
  await share(box, { agent_name: "other", port: 9, share_level: "organization" });
  await share(box, { port: 65_535 });
  expect((await sharesOf(box)).map(({ agent_name, port }) => `${agent_name}:${port}`)).toEqual([
    "main:8080",
    "main:65535",
    "other:9",
  ]);
  const path = `/workspaces/${box.id}/port-share`;
  const body = { agent_name: "main", port: 8080 };
  expect(await server.request("DELETE", path, body, ann.client)).toMatchObject({ status: 200 });
  expect(await server.request("DELETE", path, body, ann.client)).toMatchObject({
    status: 404,
    body: { message: "Port share not found." },
  });
  expect(await sharesOf(box)).toHaveLength(2);
});

it("refuses what cannot be shared, and names the field", async () => {
  const box = await makeBox("two");
  const path = `/workspaces/${box.id}/port-share`;
  const good = { agent_name: "main", port: 8080, share_level: "public", protocol: "http" };
  const refused = async (field: string, value: unknown) => {
    const answer = await server.request("POST", path, { ...good, [field]: value }, ann.client);
    expect(answer, JSON.stringify(value)).toMatchObject({
      status: 400,
      body: { validations: expect.arrayContaining([{ field, detail: expect.any(String) }]) },
    });
    return JSON.stringify(answer.body);
  };
  for (const port of [8, 0, -1, 65_536, 80.5, "80", null]) await refused("port", port);
  for (const protocol of ["ftp", "HTTP", ""]) await refused("protocol", protocol);
  for (const level of ["everyone", "", null]) await refused("share_level", level);
  expect(await refused("share_level", "owner")).toContain("Port sharing level not allowed.");
  for (const name of ["Main", "", "main ", "main'--", "none"]) {
    expect(await refused("agent_name", name)).toContain("must be one of main, other");
  }
  await refused("agent_name", "x".repeat(100));
  expect(await sharesOf(box)).toEqual([]);
});

it("lets only its owner and owners of the deployment change what is shared", async () => {
  const box = await makeBox("three");
  const bob = await addPerson(server, "bob");
  const admin = await addPerson(server, "templates", ["template-admin"]);
  await expect(share(box, {}, bob.client)).rejects.toMatchObject({ status: 404 });
  await expect(sharesOf(box, bob.client)).rejects.toMatchObject({ status: 404 });
  await expect(share(box, {}, admin.client)).rejects.toMatchObject({ status: 403 });
  expect(await sharesOf(box, admin.client)).toEqual([]);
  await share(box, {}, server.admin);
  const params = { workspace: box.id };
  const body = { agent_name: "main", port: 8080 };
  await expect(bob.client.call(unsharePort, { params, body })).rejects.toMatchObject({
    status: 404,
  });
  expect(await sharesOf(box)).toHaveLength(1);
});

it("lowers shares with the level of the template, and refuses wider ones", async () => {
  const box = await makeBox("four");
  const key = { workspaceId: box.id, agentName: "main", port: 8080 };
  for (const level of levelOrder.slice(1)) {
    await share(box, { share_level: level });
    for (const [index, max] of levelOrder.entries()) {
      await allowAtMost(max);
      const lower = levelOrder[Math.min(index, levelOrder.indexOf(level))];
      expect(await selectPortShare(server.db, key)).toMatchObject({ share_level: lower });
      expect(await sharesOf(box)).toMatchObject([{ share_level: lower }]);
    }
  }
  await allowAtMost("organization");
  await expect(share(box, { share_level: "authenticated" })).rejects.toMatchObject({
    status: 400,
    body: {
      message: "Port sharing level not allowed.",
      validations: [
        {
          field: "share_level",
          detail: "the template allows at most organization, found authenticated",
        },
      ],
    },
  });
  await share(box, { share_level: "organization" });
  await allowAtMost("public");
  const params = { template: templateId };
  const body = { max_port_share_level: "everyone" };
  expect(await server.request("PATCH", `/templates/${params.template}`, body)).toMatchObject({
    status: 400,
    body: { validations: [{ field: "max_port_share_level" }] },
  });
});

it("keeps shares over restarts, and removes them with the workspace", async () => {
  const box = await makeBox("five");
  await share(box);
  await build(box, "stop");
  await expect(share(box, { port: 9000 })).rejects.toMatchObject({
    body: { validations: [{ field: "agent_name", detail: expect.stringContaining("start it") }] },
  });
  expect(await sharesOf(box)).toHaveLength(1);
  await build(box, "start");
  expect(await sharesOf(box)).toHaveLength(1);
  await build(box, "delete");
  const key = { workspaceId: box.id, agentName: "main", port: 8080 };
  expect(await selectPortShare(server.db, key)).toBeUndefined();
  await expect(share(box)).rejects.toMatchObject({ status: 410 });
});

it("shares no port of a prebuild, and hands no share on to another owner", async () => {
  const pool = await pushPool(server, 1);
  const [waiting] = await fillPool(server, 1, opened);
  const id = waiting?.workspace.id ?? "";
  await expect(share({ id }, {}, server.admin)).rejects.toMatchObject({ status: 409 });
  // As if one had been stored regardless.
  await sql`insert into workspace_port_shares
    (workspace_id, agent_name, port, owner_id, share_level, protocol)
    select id, 'main', 8080, owner_id, 'public', 'http' from workspaces where id = ${id}`.execute(
    server.db,
  );
  const key = { workspaceId: id, agentName: "main", port: 8080 };
  expect(await selectPortShare(server.db, key)).toBeDefined();
  const mine = await claim(ann.client, "mine", pool);
  expect(mine.id).toBe(id);
  expect(await selectPortShare(server.db, key)).toBeUndefined();
  expect(await sharesOf(mine)).toEqual([]);
  await share(mine, { share_level: "authenticated" });
  expect(await sharesOf(mine)).toMatchObject([{ share_level: "authenticated" }]);
});

it("limits the shares of a workspace, also when many are requested at once", async () => {
  const box = await makeBox("six");
  await sql`insert into workspace_port_shares
    (workspace_id, agent_name, port, owner_id, share_level, protocol)
    select ${box.id}, 'main', n, ${box.owner_id}, 'public', 'http'
      from generate_series(100, ${100 + maxPortShares - 4}) n`.execute(server.db);
  const results = await Promise.allSettled(
    Array.from({ length: 12 }, (_, index) => share(box, { port: 9000 + index })),
  );
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
  expect(results.find(({ status }) => status === "rejected")).toMatchObject({
    reason: { status: 409, message: expect.stringContaining(String(maxPortShares)) },
  });
  expect(await sharesOf(box)).toHaveLength(maxPortShares);
  // An existing one may still change.
  await share(box, { port: 100, share_level: "authenticated" });
});

it("records who shared what, as a change of the workspace, and hints at it", async () => {
  const box = await makeBox("seven");
  const heard = await hearHints(opened, server, [topics.workspace(box.id)]);
  await share(box);
  await share(box, { share_level: "authenticated" });
  const params = { workspace: box.id };
  await ann.client.call(unsharePort, { params, body: { agent_name: "main", port: 8080 } });
  const query = { q: "resource_type:workspace action:write resource_target:seven" };
  const { audit_logs: entries } = await server.admin.call(listAuditLogs, { query });
  const changes = entries.toReversed().map(({ user, diff, additional_fields: fields }) => {
    const level = diff["port_share_level"];
    return [user?.username, fields["agent_name"], fields["port"], level?.old, level?.new];
  });
  expect(changes).toEqual([
    ["ann", "main", 8080, "owner", "public"],
    ["ann", "main", 8080, "public", "authenticated"],
    ["ann", "main", 8080, "authenticated", "owner"],
  ]);
  await expect.poll(heard).toEqual([true]);
});
