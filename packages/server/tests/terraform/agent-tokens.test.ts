import { getBuildState } from "@slipway/api/builds/routes";
import { createTemplate } from "@slipway/api/templates/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { listOf, objectOf, textOf } from "@slipway/runtime";
import { pushVersion, waitForWorkspace } from "@slipway/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

import type { OpenServer } from "../support/open-server.ts";
import { openTerraformServer } from "../support/terraform-server.ts";

/* The tokens of agents whose machines stay over builds. */

const opened = new AsyncDisposableStack();
let server: OpenServer;

beforeAll(async () => {
  server = opened.use(await openTerraformServer());
}, 1_200_000);
afterAll(() => opened.disposeAsync());

const head = `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
`;

/** An agent and its machine. */
const agent = (name: string): string => `
resource "coder_agent" "${name}" {
  os   = "linux"
  arch = "amd64"
}
resource "terraform_data" "${name}" {
  input = coder_agent.${name}.token
}
`;

/** Returns the tokens of the agents in a build's state, by their names. */
async function tokens({ latest_build: { id } }: Workspace): Promise<Record<string, unknown>> {
  const bytes = await server.admin.download(getBuildState, { params: { build: id } });
  const { resources } = objectOf(JSON.parse(Buffer.from(bytes).toString()));
  const agents = listOf(resources)
    .map(objectOf)
    .filter(({ type }) => type === "coder_agent");
  return Object.fromEntries(
    agents.map(({ name, instances }) => {
      const [instance] = listOf(instances);
      return [textOf(name), objectOf(objectOf(instance)["attributes"])["token"]];
    }),
  );
}

it("differ when a new version adds an agent to a running one", async () => {
  const first = await pushVersion(server.admin, head + agent("main"), { file: "main.tf" });
  const template = await server.admin.call(createTemplate, {
    params: { organization: "default" },
    body: { name: "grown", template_version_id: first },
  });
  const { id } = await server.admin.call(createWorkspace, {
    params: { user: "me" },
    body: { name: "grown", template_id: template.id },
  });
  const isRunning =
    (number: number) =>
    ({ latest_build: { status, build_number } }: Workspace): boolean =>
      status === "running" && build_number === number;
  const before = await tokens(await waitForWorkspace(server.admin, id, isRunning(1)));
  const restart = async (body: object): Promise<void> => {
    await server.admin.call(createBuild, {
      params: { workspace: id },
      body: { transition: "start", ...body },
    });
  };
  await restart({});
  const same = await waitForWorkspace(server.admin, id, isRunning(2));
  expect(await tokens(same)).toEqual(before);
  const second = await pushVersion(server.admin, head + agent("main") + agent("two"), {
    file: "main.tf",
    templateId: template.id,
  });
  await restart({ template_version_id: second });
  const grown = await waitForWorkspace(server.admin, id, isRunning(3));
  const after = await tokens(grown);
  expect(Object.keys(after).toSorted()).toEqual(["main", "two"]);
  expect(after["two"]).not.toBe(after["main"]);
});
