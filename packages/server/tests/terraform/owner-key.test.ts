import { getBuildLogs } from "@slipway/api/builds/routes";
import { createTemplate } from "@slipway/api/templates/routes";
import { getGitKey } from "@slipway/api/users/git-key-routes";
import { suspendUser } from "@slipway/api/users/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace, getWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { pushVersion, requireAgent } from "@slipway/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

import type { OpenServer } from "../support/open-server.ts";
import { addUser } from "../support/people.ts";
import { openTerraformServer } from "../support/terraform-server.ts";

/* Templates that read the groups and the SSH key of a workspace's owner. */

const opened = new AsyncDisposableStack();
let server: OpenServer;

beforeAll(async () => {
  server = opened.use(await openTerraformServer());
}, 1_200_000);
afterAll(() => opened.disposeAsync());

/** A template whose agent has these variables, and which prints the private key when a workspace starts. */
const template = (variables: string, printed: string): string => `terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
data "coder_workspace_owner" "me" {}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
  env  = { ${variables} }
}
resource "terraform_data" "print" {
  triggers_replace = [coder_agent.main.token]
  provisioner "local-exec" {
    environment = { KEY = ${printed} }
    command     = "echo begin; echo \\"$KEY\\"; echo end"
  }
}
`;

const usual =
  'GROUPS = join(",", data.coder_workspace_owner.me.groups), PUBLIC = data.coder_workspace_owner.me.ssh_public_key';
const privateKey = "data.coder_workspace_owner.me.ssh_private_key";

async function makeTemplate(name: string, text: string): Promise<string> {
  const version = await pushVersion(server.admin, text, { file: "main.tf" });
  const body = { name, template_version_id: version };
  return (await server.admin.call(createTemplate, { params: { organization: "default" }, body }))
    .id;
}

const patience = { timeout: 60_000, interval: 100 };

/** Waits for the newest build of a workspace, which must succeed; resolves to its agent's variables, its log and its state. */
async function built(workspace: Pick<Workspace, "id">) {
  const params = { workspace: workspace.id };
  const read = (): Promise<Workspace> => server.admin.call(getWorkspace, { params });
  await expect.poll(async () => (await read()).latest_build.status, patience).toBe("running");
  const found = await read();
  const { id } = found.latest_build;
  const lines = await server.admin.call(getBuildLogs, { params: { build: id }, query: {} });
  const state = await server.request("GET", `/workspacebuilds/${id}/state`);
  return {
    variables: requireAgent(found).environment_variables,
    log: lines.map(({ output }) => output).join("\n"),
    state: JSON.stringify(state.body),
  };
}

async function create(username: string, name: string, templateId: string): Promise<Workspace> {
  const body = { name, template_id: templateId };
  return server.admin.call(createWorkspace, { params: { user: username }, body });
}

it("gives a template the group and the public key, and no private key that it does not name", async () => {
  const templateId = await makeTemplate("public", template(usual, '"none"'));
  const { variables, log, state } = await built(await create("me", "public", templateId));
  const { public_key: publicKey } = await server.admin.call(getGitKey, { params: { user: "me" } });
  expect(variables).toEqual({ GROUPS: "Everyone", PUBLIC: publicKey });
  expect(log).not.toContain("SSH key");
  expect(state).toContain("ssh_private_key");
  expect(state).not.toContain("OPENSSH");
});

it("gives a template the private key that it names, hides it in the log, and tells of it", async () => {
  const templateId = await makeTemplate(
    "private",
    template(`KEY = ${privateKey}`, `nonsensitive(${privateKey})`),
  );
  const { variables, log } = await built(await create("me", "private", templateId));
  const lines = (variables["KEY"] ?? "").split("\n").filter((line) => line.length >= 8);
  expect(lines[0]).toBe("-----BEGIN OPENSSH PRIVATE KEY-----");
  expect(lines.length).toBeGreaterThan(5);
  for (const line of lines) expect(log).not.toContain(line);
  expect(log).toContain("(local-exec): begin");
  expect(log).toContain("(hidden)");
  expect(log).toContain("the template reads the owner's SSH key");
});

it("gives no key of a suspended user", async () => {
  const { id } = await addUser(server, "sue");
  const text = template(`HAS = ${privateKey} == "" ? "no" : "yes"`, '"none"');
  const templateId = await makeTemplate("suspended", text);
  const workspace = await create("sue", "dev", templateId);
  expect(await built(workspace)).toMatchObject({ variables: { HAS: "yes" } });
  await server.admin.call(suspendUser, { params: { user: id } });
  const { id: buildId } = await server.admin.call(createBuild, {
    params: { workspace: workspace.id },
    body: { transition: "start" },
  });
  const newest = async (): Promise<string> =>
    (await server.admin.call(getWorkspace, { params: { workspace: workspace.id } })).latest_build
      .id;
  expect(await newest()).toBe(buildId);
  expect(await built(workspace)).toMatchObject({ variables: { HAS: "no" } });
});
