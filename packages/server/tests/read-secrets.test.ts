import type { AuditLog } from "@slipway/api/audit/audit-log";
import { listAuditLogs } from "@slipway/api/audit/routes";
import { activateUser, suspendUser } from "@slipway/api/users/routes";
import {
  makeWorkspace,
  openClient,
  packTemplate,
  pushTemplate,
  readAgentToken,
} from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { type OpenServer, openServer } from "./support/open-server.ts";
import { addPerson, type Person } from "./support/people.ts";

/* The audit trail records reads of secrets and refused rights, but no more often than is useful to read. */

const template =
  "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n  other: { os: linux, arch: amd64 }\n";

const opened = new AsyncDisposableStack();
let server: OpenServer;
let ann: Person;
let workspaceId = "";
let agentToken = "";

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  ann = await addPerson(server, "ann");
  const templateId = await pushTemplate(server.admin, "outside", template);
  ({ id: workspaceId } = await makeWorkspace(ann.client, "dev", templateId, () => true));
  agentToken = await readToken(ann);
});
afterAll(() => opened.disposeAsync());

async function readToken({ client }: Pick<Person, "client">): Promise<string> {
  return readAgentToken(client, workspaceId);
}

const asAgent = (path: string) =>
  server.request("GET", path, undefined, openClient(server.url, agentToken));

async function entries(q: string): Promise<readonly AuditLog[]> {
  return (await server.admin.call(listAuditLogs, { query: { q, limit: "100" } })).audit_logs;
}

describe("the audit trail", () => {
  it("has who read the token of an agent, once for each session", async () => {
    await readToken(ann);
    await readToken({ client: server.admin });
    const found = await entries("resource_type:workspace_agent");
    expect(found.map(({ user }) => user?.username)).toEqual(["admin", "ann"]);
    expect(found[0]).toMatchObject({
      action: "open",
      resource_target: "dev.main",
      description: "{user} read workspace agent {target}",
      additional_fields: { workspace_id: workspaceId },
    });
    expect(JSON.stringify(found)).not.toContain(agentToken);
    await readAgentToken(ann.client, workspaceId, "other");
    expect(await entries("resource_type:workspace_agent resource_target:dev.other")).toHaveLength(
      1,
    );
  });

  it("has that an agent read the private key of its owner, once however often it does", async () => {
    for (let at = 0; at < 5; at += 1) {
      expect(await asAgent("/workspaceagents/me/gitsshkey")).toMatchObject({ status: 200 });
    }
    const found = await entries("resource_type:git_ssh_key");
    expect(found).toMatchObject([
      {
        action: "open",
        user: { username: "ann" },
        resource_id: ann.user.id,
        ip: "127.0.0.1",
        additional_fields: { agent: { name: "main", workspace_name: "dev" } },
      },
    ]);
    expect(JSON.stringify(found)).not.toContain("PRIVATE KEY");
  });

  it("has a change of roles that was refused, once for each who asked", async () => {
    const { user: bob, client } = await addPerson(server, "bob", ["user-admin"]);
    const cid = await addPerson(server, "cid", ["user-admin"]);
    const roles = { roles: ["owner"] };
    for (const [id, by] of [
      [ann.user.id, client],
      [ann.user.id, client],
      [bob.id, client],
      [ann.user.id, cid.client],
    ] as const) {
      const answer = await server.request("PUT", `/users/${id}/roles`, roles, by);
      expect(answer).toMatchObject({ status: 403 });
    }
    expect(await entries("username:cid resource_type:user")).toMatchObject([
      { status_code: 403, resource_target: "ann" },
    ]);
    const found = await entries("username:bob resource_type:user");
    expect(found).toMatchObject([
      { status_code: 403, resource_target: "bob" },
      {
        status_code: 403,
        resource_target: "ann",
        diff: { roles: { old: [], new: ["owner"] } },
        description: "{user} unsuccessfully attempted to update user {target}",
      },
    ]);
  });

  it("has a file that was uploaded, once for the same bytes", async () => {
    const file = await packTemplate(`${template}# another\n`);
    const url = `${server.url}/api/v2/files`;
    const headers = { ...server.admin.headers, "Content-Type": "application/x-tar" };
    const upload = () => fetch(url, { method: "POST", headers, body: Buffer.from(file) });
    expect([(await upload()).status, (await upload()).status]).toEqual([201, 200]);
    const found = await entries("resource_type:file");
    // The first one is the template above.
    expect(found).toHaveLength(2);
    expect(found[0]).toMatchObject({
      action: "create",
      user: { username: "admin" },
      resource_target: expect.stringMatching(/^[0-9a-f]{64}$/),
      additional_fields: { bytes: file.length },
    });
  });
});

describe("an agent of a suspended owner", () => {
  it.each([
    ["/workspaceagents/me/gitsshkey", 200],
    ["/workspaceagents/me/external-auth?match=github.com", 404],
    ["/workspaceagents/me/gitauth?match=github.com", 404],
  ])("gets nothing of theirs at %s", async (path, usual) => {
    const params = { user: ann.user.id };
    expect(await asAgent(path)).toMatchObject({ status: usual });
    await server.admin.call(suspendUser, { params });
    expect(await asAgent(path)).toMatchObject({
      status: 403,
      body: { detail: "The owner of this workspace is suspended." },
    });
    await server.admin.call(activateUser, { params });
    expect(await asAgent(path)).toMatchObject({ status: usual });
  });
});
