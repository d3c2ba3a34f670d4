import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { createTemplate } from "@slipway/api/templates/routes";
import { getTemplateVersion, updateActiveVersion } from "@slipway/api/templates/version-routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { revokeExternalAgentTokens } from "@slipway/api/workspaces/external-agent-routes";
import { createWorkspace, getWorkspace, listWorkspaces } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import {
  connectExternalAgent,
  connectWithToken,
  pushVersion,
  readAgentToken,
  waitForWorkspace,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

import type { OpenServer } from "../support/open-server.ts";
import { becomeReady, waitForPrebuilds } from "../support/pool.ts";
import { openTerraformServer } from "../support/terraform-server.ts";

/* Agents of `coder_external_agent`, which people start by hand, beside one that a machine starts. */

const opened = new AsyncDisposableStack();
let server: OpenServer;

beforeAll(async () => {
  server = opened.use(await openTerraformServer());
}, 1_200_000);
afterAll(() => opened.disposeAsync());

const configuration = ({
  count = "data.coder_workspace.me.start_count",
  instances = 0,
}): string => `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
data "coder_workspace" "me" {}
data "coder_parameter" "desk" {
  name    = "desk"
  type    = "bool"
  default = false
  mutable = true
}
data "coder_workspace_preset" "ready" {
  name       = "ready"
  parameters = { desk = "true" }
  prebuilds {
    instances = ${instances}
  }
}
resource "coder_agent" "desk" {
  count = ${count}
  os    = "linux"
  arch  = "amd64"
}
resource "coder_external_agent" "desk" {
  count    = ${count}
  agent_id = coder_agent.desk[count.index].id
}
`;

/** An agent whose token goes to a machine, which a stop leaves in the state. */
const machine = `
resource "coder_agent" "box" {
  os   = "linux"
  arch = "amd64"
}
resource "terraform_data" "box" {
  input = coder_agent.box.token
  lifecycle {
    ignore_changes = [input]
  }
}
`;

async function pushTemplate(name: string, text: string): Promise<string> {
  const version = await pushVersion(server.admin, text, { file: "main.tf" });
  const { id } = await server.admin.call(createTemplate, {
    params: { organization: "default" },
    body: { name, template_version_id: version },
  });
  return id;
}

/** Waits until the newest build of a workspace is over, and well. */
function untilBuilt(id: string, status = "running"): Promise<Workspace> {
  return waitForWorkspace(server.admin, id, (one) => one.latest_build.status === status);
}

async function makeWorkspace(name: string, templateId: string, desk = "true"): Promise<Workspace> {
  const values = [{ name: "desk", value: desk }];
  const body = { name, template_id: templateId, rich_parameter_values: values };
  const { id } = await server.admin.call(createWorkspace, { params: { user: "me" }, body });
  return untilBuilt(id);
}

async function build(id: string, transition: "start" | "stop", version?: string) {
  const body = {
    transition,
    ...(version === undefined ? {} : { template_version_id: version }),
  };
  await server.admin.call(createBuild, { params: { workspace: id }, body });
  return untilBuilt(id, transition === "start" ? "running" : "stopped");
}

const agentsOf = ({ latest_build: { resources } }: Workspace): readonly WorkspaceAgent[] =>
  resources.flatMap(({ agents }) => agents);

function tokenOf(id: string, agent = "desk"): Promise<string> {
  return readAgentToken(server.admin, id, agent);
}

function refusalOf(token: string): Promise<unknown> {
  return connectWithToken(server.url, token).catch((error: unknown) => error);
}

async function listed(q: string): Promise<readonly string[]> {
  const { workspaces } = await server.admin.call(listWorkspaces, { query: { q } });
  return workspaces.map(({ name }) => name);
}

it("offers only the agents that people start, from the start of a workspace to its deletion", async () => {
  const templateId = await pushTemplate("mixed", configuration({}) + machine);
  const made = await makeWorkspace("mixed", templateId);
  const { id } = made;
  expect(made.latest_build.has_external_agent).toBe(true);
  expect(agentsOf(made).map(({ name }) => name)).toEqual(["box", "desk"]);
  const params = { version: made.latest_build.template_version_id };
  const version = await server.admin.call(getTemplateVersion, { params });
  expect(version.has_external_agent).toBe(true);
  await expect(tokenOf(id, "box")).rejects.toMatchObject({ status: 404 });
  await expect(tokenOf(id, "other")).rejects.toMatchObject({ status: 404 });

  const { token, connection } = await connectExternalAgent(server.admin, id, "desk");
  opened.use(connection);
  expect(await listed("name:mixed has_external_agent:true")).toEqual(["mixed"]);
  expect(await listed("name:mixed has_external_agent:false")).toEqual([]);

  const stopped = await build(id, "stop");
  expect(stopped.latest_build.has_external_agent).toBe(true);
  await expect(tokenOf(id)).rejects.toMatchObject({ status: 409 });
  expect(await refusalOf(token)).toMatchObject({ name: "DialError", isOfStopped: true });
  const started = await build(id, "start");
  expect(agentsOf(started).map(({ name }) => name)).toEqual(["box", "desk"]);
  expect(await tokenOf(id)).toBe(token);
  const again = await connectWithToken(server.url, token);
  opened.use(again.connection);

  // Twice in a row, as a restart and an update do.
  await build(id, "start");
  expect(await tokenOf(id)).toBe(token);

  await build(id, "stop");
  await server.admin.call(revokeExternalAgentTokens, { params: { workspace: id } });
  expect(await refusalOf(token)).toMatchObject({ name: "DialError", isOfStopped: false });
  await build(id, "start");
  const next = await tokenOf(id);
  expect(next).not.toBe(token);

  await server.admin.call(createBuild, {
    params: { workspace: id },
    body: { transition: "delete" },
  });
  const query = { include_deleted: "true" };
  const status = async (): Promise<string> =>
    (await server.admin.call(getWorkspace, { params: { workspace: id }, query })).latest_build
      .status;
  await expect.poll(status, { timeout: 60_000 }).toBe("deleted");
  expect(await refusalOf(next)).toMatchObject({ name: "DialError", isOfStopped: false });
});

it("follows parameters and versions that add or remove such an agent", async () => {
  const chosen = 'data.coder_parameter.desk.value == "true" ? 1 : 0';
  const templateId = await pushTemplate("chosen", configuration({ count: chosen }) + machine);
  const without = await makeWorkspace("without", templateId, "false");
  const params = { version: without.latest_build.template_version_id };
  expect(await server.admin.call(getTemplateVersion, { params })).toMatchObject({
    has_external_agent: true,
  });
  expect(agentsOf(without).map(({ name }) => name)).toEqual(["box"]);
  await expect(tokenOf(without.id)).rejects.toMatchObject({ status: 404 });
  await expect(tokenOf(without.id, "box")).rejects.toMatchObject({ status: 404 });

  const { id } = await makeWorkspace("with", templateId);
  const token = await tokenOf(id);
  const body = configuration({ count: "0" }).replace(/resource "coder_external_agent"[^]*/, "");
  const none = await pushVersion(server.admin, body + machine, { file: "main.tf", templateId });
  await server.admin.call(updateActiveVersion, {
    params: { template: templateId },
    body: { id: none },
  });
  const updated = await build(id, "start", none);
  expect(updated.latest_build.has_external_agent).toBe(false);
  expect(await listed("name:with has_external_agent:false")).toContain("with");
  await expect(tokenOf(id)).rejects.toMatchObject({ status: 404 });
  expect(await refusalOf(token)).toMatchObject({ name: "DialError", isOfStopped: false });
});

it("hands a prebuild over with the token that its agent was started with", async () => {
  const templateId = await pushTemplate("pooled", configuration({ instances: 1 }));
  const [prebuild] = await waitForPrebuilds(server, 1);
  const { id = "" } = prebuild ?? {};
  const agent = await connectExternalAgent(server.admin, id, "desk");
  opened.use(agent.connection);
  await becomeReady(agent);
  const claimed = await server.admin.call(createWorkspace, {
    params: { user: "me" },
    body: {
      name: "claimed",
      template_id: templateId,
      require_prebuild: true,
      rich_parameter_values: [{ name: "desk", value: "true" }],
    },
  });
  expect(claimed.id).toBe(id);
  await untilBuilt(id);
  expect(await tokenOf(id)).toBe(agent.token);
});
