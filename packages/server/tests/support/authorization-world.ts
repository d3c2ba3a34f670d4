import { randomUUID } from "node:crypto";

import type { Transition } from "@slipway/api/builds/resource";
import { createProvisionerKey } from "@slipway/api/organizations/provisioner-routes";
import { createDryRun, getDryRun } from "@slipway/api/templates/dry-run-routes";
import { getTemplate } from "@slipway/api/templates/routes";
import {
  createTemplateVersion,
  getTemplateVersion,
  updateTemplateVersion,
} from "@slipway/api/templates/version-routes";
import { createToken, getTokenByName } from "@slipway/api/users/key-routes";
import { suspendUser } from "@slipway/api/users/routes";
import type { User } from "@slipway/api/users/user";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { revokeExternalAgentTokens } from "@slipway/api/workspaces/external-agent-routes";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import {
  connectWithToken,
  firstAgent,
  pushTemplate,
  readAgentToken,
  waitForWorkspace,
} from "@slipway/testkit";
import { parseUuid } from "@slipway/wire/bytes/uuid";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";
import { vi } from "vitest";

import type { OpenServer } from "./open-server.ts";
import { addPerson, addUser, type Client } from "./people.ts";

/** The callers. The rows refer to resources of the member, Ann, and of her agents. */
export const callerNames = [
  "nobody",
  "member",
  "other member",
  "template admin",
  "user admin",
  "auditor",
  "owner",
  /** A member suspended while logged in. */
  "suspended member",
  /** A token of the member with the scope `workspace:read`. */
  "limited token",
  "agent",
  /** The agent of another member. */
  "other agent",
  /** The agent of a build that is not the newest one. */
  "old agent",
  /** A child of the agent. */
  "sub-agent",
] as const;
export type CallerName = (typeof callerNames)[number];

/** The authenticated agents. */
export const agentCallers: ReadonlySet<CallerName> = new Set(["agent", "other agent", "sub-agent"]);

/** A deployment with a caller of each kind, and resources of Ann, a member. */
export interface World {
  /** Ids of Ann's resources, by the names of path parameters. */
  readonly ids: Readonly<Record<string, string>>;
  /** A later version than the one that the workspaces use. */
  readonly secondVersionId: string;
  readonly callers: Readonly<Record<CallerName, Headers>>;
  /** Returns headers with a new session of the same user; unchanged headers for other callers. */
  newSession(headers: Headers): Promise<Headers>;
  newUser(): Promise<User>;
  /** Creates a token of Ann's; resolves to its id. */
  newKey(): Promise<string>;
  /** Creates a key of provisioners; resolves to its name. */
  newProvisionerKey(): Promise<string>;
  /** Creates a workspace of Ann's whose first build has ended. */
  newWorkspace(): Promise<Workspace>;
}

type Headers = Readonly<Record<string, string>>;

/** Its agents are never started, so its workspaces need no processes. */
const template = `
driver: external
presets: { waiting: { prebuilds: { instances: 0 } } }
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
  const sam = await addPerson(server, "sam");
  const templateAdmin = await addPerson(server, "template-admin", ["template-admin"]);
  const userAdmin = await addPerson(server, "user-admin", ["user-admin"]);
  const auditor = await addPerson(server, "auditor", ["auditor"]);
  await ann.client.call(createToken, { params: me, body: { token_name: "token" } });
  const limited = await ann.client.call(createToken, {
    params: me,
    body: { token_name: "limited", scopes: ["workspace:read"] },
  });
  await bob.client.call(createToken, { params: me, body: { token_name: "token" } });
  const dev = await makeWorkspace(ann.client, templateId, "dev");
  const oldToken = await agentToken(ann.client, dev);
  await build(ann.client, dev.id, "stop");
  await ann.client.call(revokeExternalAgentTokens, { params: { workspace: dev.id } });
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
  await server.admin.call(suspendUser, { params: { user: sam.user.id } });
  const agent = await agentToken(ann.client, dev);
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
    callers: {
      nobody: {},
      member: ann.client.headers,
      "other member": bob.client.headers,
      "template admin": templateAdmin.client.headers,
      "user admin": userAdmin.client.headers,
      auditor: auditor.client.headers,
      owner: server.admin.headers,
      "suspended member": sam.client.headers,
      "limited token": withToken(limited.key),
      agent: withToken(agent),
      "other agent": withToken(await agentToken(bob.client, bobs)),
      "old agent": withToken(oldToken),
      "sub-agent": withToken(await makeSubAgent(server.url, agent)),
    },
    newSession: async (headers) => {
      const { body } = await server.request("POST", "/users/me/keys", undefined, { headers });
      return hasKey(body) ? withToken(body.key) : headers;
    },
    newUser: () => addUser(server, `u${randomUUID().slice(0, 8)}`),
    newKey: async () => {
      const name = `k${randomUUID()}`;
      await ann.client.call(createToken, { params: me, body: { token_name: name } });
      return (await ann.client.call(getTokenByName, { params: { ...me, name } })).id;
    },
    newProvisionerKey: async () => {
      const name = `k${randomUUID().slice(0, 8)}`;
      const params = { organization: "default" };
      await server.admin.call(createProvisionerKey, { params, body: { name } });
      return name;
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

/** Waits until `isDone` resolves to true. */
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

/** Creates a child of the agent of a token; resolves to the child's token. */
async function makeSubAgent(serverUrl: string, token: string): Promise<string> {
  const { connection } = await connectWithToken(serverUrl, token);
  try {
    const request = {
      name: "inner",
      directory: "/",
      architecture: "amd64",
      operatingSystem: "linux",
    };
    const { signal } = new AbortController();
    const made = await connection.unary(Agent.method.createSubAgent, request, signal);
    return parseUuid(made.agent?.authToken ?? new Uint8Array());
  } finally {
    await connection.close();
  }
}

async function agentToken(client: Client, { id }: Workspace): Promise<string> {
  return readAgentToken(client, id);
}
