import { createWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { waitForWorkspace } from "@slipway/testkit";

import type { Client } from "./people.ts";

/** Returns a template whose agents are identified by the machine in the parameter `instance`. */
export const machineTemplate = (
  auth: string,
  agentNames: readonly string[] = ["main"],
  presets = "",
): string => `
driver: external
parameters:
  instance: { type: string, mutable: true }
${presets}
agents:
${agentNames
  .map(
    (name) => `  ${name}:
    os: linux
    arch: amd64
    auth: ${auth}
    instance_id: \${{ parameters.instance }}
`,
  )
  .join("")}`;

/** Creates a workspace of the template that names the machine, and waits until it runs. */
export async function addMachine(
  client: Client,
  templateId: string,
  name: string,
  instance: string,
): Promise<Workspace> {
  const { id } = await client.call(createWorkspace, {
    params: { user: "me" },
    body: {
      name,
      template_id: templateId,
      rich_parameter_values: [{ name: "instance", value: instance }],
    },
  });
  return waitForWorkspace(client, id, ({ latest_build: build }) => build.status === "running");
}
