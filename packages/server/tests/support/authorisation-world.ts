import { randomUUID } from "node:crypto";

import {
  createBuild,
  createDryRun,
  createTemplateVersion,
  createToken,
  createUser,
  createWorkspace,
  getExternalAgentCredentials,
  getDryRun,
  getTemplate,
  getTemplateVersion,
  getTokenByName,
  type Transition,
  updateTemplateVersion,
  type User,
  type Workspace,
} from "@slipway/api";
import { firstAgent, pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { vi } from "vitest";

import type { OpenServer } from "./open-server.ts";
import { addPerson, type Client, testPassword } from "./people.ts";

/** A deployment with somebody of each kind, and things of Ann's, a member. */
export interface World {
  /** Ids of Ann's things, by the names of path parameters. */
  readonly ids: Readonly<Record<string, string>>;
  /** A version after the one that the workspaces use. */
  readonly secondVersionId: string;
  /** Headers of each caller, in the order of the table's columns. */
  readonly callers: readonly Caller[];
  /** Headers with a new session of the same user; the same headers of who is none. */
  newSession(headers: Caller["headers"]): Promise<Caller["headers"]>;
  newUser(): Promise<User>;
  /** A token of Ann's; resolves to its id. */
  newKey(): Promise<string>;
  /** A workspace of Ann's whose first build has ended. */
  newWorkspace(): Promise<Workspace>;
}

interface Caller {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Its agents are started by nobody, so that workspaces need no processes. */
const template = `
driver: external
agents:
  main:
    os: linux
    arch: amd64
    metadata:
      answer: { display_name: Answer, interval: 10s, timeout: 5s, run: echo 42 }
`;

const me = { user: "me" };

export async function openWorld(server: OpenServer): Promise<World> {
  const templateId = await pushTemplate(server.admin, "demo", template);
  const { active_version_id: versionId } = await server.admin.call(getTemplate, {
    params: { template: templateId },
  });
  const first = await server.admin.call(updateTemplateVersion, {
    params: { version: versionId },
    body: { name: "first" },
  });
  const second = await server.admin.call(createTemplateVersion, {
    params: { organization: "default" },
    body: { template_id: templateId, file_id: first.job.file_id, name: "second" },
  });
  await until(async () => {
    const params = { version: second.id };
    return (await server.admin.call(getTemplateVersion, { params })).job.status === "succeeded";
  });
  const ann = await addPerson(server, "ann");
  const bob = await addPerson(server, "bob");
  const admin = await addPerson(server, "template-admin", ["template-admin"]);
  await ann.client.call(createToken, { params: me, body: { token_name: "token" } });
  const dev = await makeWorkspace(ann.client, templateId, "dev");
  const oldToken = await agentToken(ann.client, dev);
  await build(ann.client, dev.id, "stop");
  const started = await build(ann.client, dev.id, "start");
  const dryRun = await ann.client.call(createDryRun, {
    params: { version: versionId },
    body: {},
  });
  await until(async () => {
    const params = { version: versionId, job: dryRun.id };
    return (await ann.client.call(getDryRun, { params })).status === "succeeded";
  });
  const bobs = await makeWorkspace(bob.client, templateId, "dev");
  return {
    ids: {
      user: ann.user.id,
      organization: "default",
      template: templateId,
      version: versionId,
      workspace: dev.id,
      build: started.latest_build.id,
      agent: firstAgent(started)?.id ?? "",
      job: dryRun.id,
      file: first.job.file_id,
    },
    secondVersionId: second.id,
    callers: [
      { name: "nobody", headers: {} },
      { name: "member", headers: ann.client.headers },
      { name: "other member", headers: bob.client.headers },
      { name: "template admin", headers: admin.client.headers },
      { name: "owner", headers: server.admin.headers },
      { name: "this agent", headers: withToken(await agentToken(ann.client, dev)) },
      { name: "other agent", headers: withToken(await agentToken(bob.client, bobs)) },
      { name: "agent of an old build", headers: withToken(oldToken) },
    ],
    newSession: async (headers) => {
      const { body } = await server.request("POST", "/users/me/keys", undefined, { headers });
      return hasKey(body) ? withToken(body.key) : headers;
    },
    newUser: () => {
      const username = `u${randomUUID().slice(0, 8)}`;
      const email = `${username}@example.com`;
      return server.admin.call(createUser, { body: { username, email, password: testPassword } });
    },
    newKey: async () => {
      const name = `k${randomUUID()}`;
      await ann.client.call(createToken, { params: me, body: { token_name: name } });
      return (await ann.client.call(getTokenByName, { params: { ...me, name } })).id;
    },
    newWorkspace: () => makeWorkspace(ann.client, templateId, `w${randomUUID().slice(0, 8)}`),
  };
}

function withToken(token: string): Readonly<Record<string, string>> {
  return { "Coder-Session-Token": token };
}

function hasKey(body: unknown): body is { readonly key: string } {
  return typeof body === "object" && body !== null && "key" in body && typeof body.key === "string";
}

/** Waits until `isDone` says so. */
async function until(isDone: () => Promise<boolean>): Promise<void> {
  await vi.waitUntil(isDone, { timeout: 30_000, interval: 20 });
}

async function makeWorkspace(client: Client, templateId: string, name: string): Promise<Workspace> {
  const body = { name, template_id: templateId };
  const { id } = await client.call(createWorkspace, { params: me, body });
  return hasEnded(client, id);
}

async function build(client: Client, id: string, transition: Transition): Promise<Workspace> {
  await client.call(createBuild, { params: { workspace: id }, body: { transition } });
  return hasEnded(client, id);
}

function hasEnded(client: Client, id: string): Promise<Workspace> {
  return waitForWorkspace(client, id, ({ latest_build: { job } }) => job.status === "succeeded");
}

async function agentToken(client: Client, { id }: Workspace): Promise<string> {
  const params = { workspace: id, agent: "main" };
  return (await client.call(getExternalAgentCredentials, { params })).agent_token;
}
