import { randomBytes, randomUUID } from "node:crypto";

import type { ProvisionerJob } from "@slipway/api/jobs/job";
import { createTemplate } from "@slipway/api/templates/routes";
import { createWorkspace, getWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { ParameterDefinition } from "@slipway/template";
import { pushVersion } from "@slipway/testkit";
import { expect } from "vitest";

import type { OpenServer } from "./open-server.ts";
import { makeKey } from "./provisioner-process.ts";
import { RawProvisioner } from "./raw-provisioner.ts";

export const agent = {
  name: "main",
  os: "linux",
  arch: "amd64",
  directory: "",
  connectionTimeoutSeconds: 120,
  troubleshootingUrl: "",
  motdFile: "",
  env: {},
  scripts: [],
  metadata: [],
  apps: [],
  displayApps: [],
};
const definition = {
  driver: "terraform",
  displayName: "",
  description: "",
  icon: "",
  parameters: [],
  presets: [],
  agents: [agent],
};
export const resource = { type: "machine", name: "one", agentNames: ["main"] };
export const reading = { definition, resources: [resource] };
/** A parameter as a provisioner describes it. */
export const parameter = (name: string, initial: string): ParameterDefinition => ({
  name,
  displayName: "",
  description: "",
  icon: "",
  type: "string",
  formType: "input",
  isMutable: true,
  isEphemeral: false,
  options: [],
  default: initial,
  validation: undefined,
});
export const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
export const patience = { timeout: 30_000, interval: 50 };

/** Adds a provisioner that is online in another organization. */
export async function addProvisionerElsewhere(
  { db }: Pick<OpenServer, "db">,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  const [key_id, organization_id, session_id] = [randomUUID(), randomUUID(), randomUUID()];
  const organization = { id: organization_id, name: `o${organization_id.slice(0, 8)}` };
  await db.insertInto("organizations").values(organization).execute();
  const key = { id: key_id, name: "elsewhere", hashed_secret: randomBytes(32) };
  await db
    .insertInto("provisioner_keys")
    .values({ ...key, organization_id, tags })
    .execute();
  const worker = { id: randomUUID(), name: "elsewhere", version: "v0", drivers: ["terraform"] };
  await db
    .insertInto("workers")
    .values({ ...worker, key_id, session_id, tags })
    .execute();
}

/** A provisioner alone with its tag, and a key for more of them. `url` is that of its server (default: the only one). */
export async function connect(
  server: OpenServer,
  tag: string,
  url = server.url,
): Promise<{ provisioner: RawProvisioner; key: string; id: string }> {
  const key = await makeKey(server.admin, tag, { only: tag, more: "than jobs have" });
  const id = randomUUID();
  return { provisioner: await RawProvisioner.connect({ url, key, id }), key, id };
}

/** Pushes a template, which the provisioner reads; resolves to its id. */
export async function push(
  server: OpenServer,
  tag: string,
  provisioner: RawProvisioner,
  text = "# read elsewhere",
): Promise<string> {
  const pushing = pushVersion(server.admin, text, {
    file: "main.tf",
    tags: { only: tag },
  });
  const { call, method } = await provisioner.nextCall();
  expect(method).toBe("read");
  provisioner.sendPart(call, "result", json(reading));
  provisioner.send({ type: "end", call });
  const body = { name: tag, template_version_id: await pushing };
  return (await server.admin.call(createTemplate, { params: { organization: "default" }, body }))
    .id;
}

/** Creates a workspace; resolves to it and to the call of its build. */
export async function begin(
  server: OpenServer,
  tag: string,
  provisioner: RawProvisioner,
  text?: string,
): Promise<{ readonly workspace: Workspace; readonly call: string; readonly job: string }> {
  const template_id = await push(server, tag, provisioner, text);
  const body = { name: `w-${tag}`, template_id };
  const workspace = await server.admin.call(createWorkspace, { params: { user: "me" }, body });
  const { call, job = "", method } = await provisioner.nextCall();
  expect(method).toBe("start");
  return { workspace, call, job };
}

export async function jobOf(server: OpenServer, { id }: Workspace): Promise<ProvisionerJob> {
  return (await server.admin.call(getWorkspace, { params: { workspace: id } })).latest_build.job;
}

export async function endsWith(
  server: OpenServer,
  workspace: Workspace,
  status: string,
): Promise<ProvisionerJob> {
  await expect.poll(async () => (await jobOf(server, workspace)).status, patience).toBe(status);
  return jobOf(server, workspace);
}
