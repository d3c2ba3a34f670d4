import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getBuildLogs } from "@slipway/api/builds/routes";
import { createTemplate } from "@slipway/api/templates/routes";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { pushVersion, requireAgent, waitForWorkspace } from "@slipway/testkit";
import { type Body, type Clouds, openClouds } from "@slipway/testkit/clouds";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { openServer, type OpenServer } from "./support/open-server.ts";
import { wireRequest } from "./support/wire-request.ts";

/*
 * Machines of clouds in Terraform templates. The providers of clouds cannot run here: a program in the place of OpenTofu leaves
 * the states that they write, which are among the template's files.
 */

const program = `#!/bin/sh
case $1 in
  version) echo OpenTofu v1.12.6 ;;
  plan) for arg; do case $arg in -out=*) : > "\${arg#-out=}" ;; esac; done ;;
  show) cat plan.json ;;
  apply) cp state.json terraform.tfstate ;;
esac
`;

const opened = new AsyncDisposableStack();
let server: OpenServer;
let clouds: Clouds;

beforeAll(async () => {
  clouds = opened.use(await openClouds());
  const directory = await mkdtemp(join(tmpdir(), "slipway-machines-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, "tofu");
  await writeFile(path, program, { mode: 0o755 });
  const environment = {
    ...clouds.environment,
    SLIPWAY_TERRAFORM: path,
    SLIPWAY_TERRAFORM_USERS: "server",
  };
  server = opened.use(await openServer(inject("postgresUrl"), environment));
});
afterAll(() => opened.disposeAsync());

/** Creates a workspace whose state has an agent and a machine that depends on it. */
async function makeWorkspace(
  name: string,
  auth: string,
  type: string,
  attributes: object,
  token: string = randomUUID(),
): Promise<Workspace> {
  const managed = { mode: "managed" };
  const agent = { id: "a1", os: "linux", arch: "amd64", auth, token };
  const state = {
    version: 4,
    serial: 1,
    lineage: name,
    resources: [
      { ...managed, type: "coder_agent", name: "main", instances: [{ attributes: agent }] },
      {
        ...managed,
        type,
        name: "box",
        instances: [{ attributes, dependencies: ["coder_agent.main"] }],
      },
    ],
  };
  const values = { os: "linux", arch: "amd64", auth };
  const address = "coder_agent.main";
  const planned = { ...managed, address, type: "coder_agent", name: "main", values };
  const plan = { planned_values: { root_module: { resources: [planned] } } };
  const more = { "plan.json": JSON.stringify(plan), "state.json": JSON.stringify(state) };
  const version = await pushVersion(server.admin, `# ${name}`, { file: "main.tf", more });
  const template = await server.admin.call(createTemplate, {
    params: { organization: "default" },
    body: { name, template_version_id: version },
  });
  const { id } = await server.admin.call(createWorkspace, {
    params: { user: "me" },
    body: { name, template_id: template.id },
  });
  return waitForWorkspace(server.admin, id, (one) => one.latest_build.status === "running");
}

function exchange(cloud: string, body: Body) {
  const path = `${server.url}/api/v2/workspaceagents/${cloud}-instance-identity`;
  return wireRequest("POST", path, { body });
}

it("gives the machine that a template's token goes to the token of its agent", async () => {
  const token = randomUUID();
  const attributes = { id: "i-0d5c", user_data: "…" };
  const auth = "aws-instance-identity";
  const workspace = await makeWorkspace("aws", auth, "aws_instance", attributes, token);
  expect(requireAgent(workspace)).toMatchObject({ name: "main", instance_id: "i-0d5c" });
  expect(await exchange("aws", clouds.aws("i-0d5c"))).toMatchObject({
    status: 200,
    body: { session_token: token },
  });
  expect(await exchange("aws", clouds.aws("i-0d5d"))).toMatchObject({ status: 404 });
});

it("warns if an agent that proves its identity has no machine", async () => {
  const { latest_build: build } = await makeWorkspace(
    "lost",
    "google-instance-identity",
    "aws_instance",
    { id: "i-1" },
  );
  const logs = await server.admin.call(getBuildLogs, { params: { build: build.id }, query: {} });
  const warnings = logs.filter(({ log_level: level }) => level === "warn");
  expect(warnings.map(({ output }) => output)).toEqual([
    'coder_agent.main has auth = "google-instance-identity", and no machine of that cloud depends on it: pass its init_script to the machine, or name the machine in a coder_agent_instance',
  ]);
});
