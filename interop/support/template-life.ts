import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { getAgent } from "@slipway/api/agents/routes";
import { listBuildParameters } from "@slipway/api/builds/routes";
import { tarMimeType, uploadFile } from "@slipway/api/files/routes";
import {
  evaluateParameters,
  listTemplateVersionParameters,
} from "@slipway/api/templates/parameter-routes";
import { createTemplate, deleteTemplate } from "@slipway/api/templates/routes";
import {
  createTemplateVersion,
  getTemplateVersion,
  listTemplateVersionExternalAuth,
  listTemplateVersionPresets,
  listTemplateVersionResources,
} from "@slipway/api/templates/version-routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { ApiClient } from "@slipway/sdk/http";
import { removeWorkspace, waitForWorkspace } from "@slipway/testkit";
import { onTestFinished, vi } from "vitest";

import { patience } from "./patience.ts";

/** The JSON that a server answers about a template in Terraform and about its workspace, by what it describes. */
export type TemplateLife = Readonly<Record<string, unknown>>;

export interface TemplateSubject {
  /** The name of the template and of the workspace. */
  readonly name: string;
  /** The files as a tar archive. */
  readonly archive: Uint8Array;
  /** Chosen values of parameters. */
  readonly values: readonly { readonly name: string; readonly value: string }[];
}

/**
 * Pushes a template, creates a workspace, waits until its agents have run their scripts, and stops it. Both are deleted at the
 * end of the test.
 */
export async function readTemplateLife(
  client: ApiClient,
  { name, archive, values }: TemplateSubject,
): Promise<TemplateLife> {
  const version = await push(client, archive);
  const body = { name, template_version_id: version };
  const { id: template } = await client.call(createTemplate, { params: organization, body });
  onTestFinished(async () => {
    await client.call(deleteTemplate, { params: { template } });
  });
  const params = { version };
  const { id: workspace } = await client.call(createWorkspace, {
    params: { user: "me" },
    body: { name, template_id: template, rich_parameter_values: [...values] },
  });
  onTestFinished(() => removeWorkspace(client, workspace));
  const started = await waitForWorkspace(
    client,
    workspace,
    (one) => one.latest_build.status === "running" && agentsOf(one).every(hasStarted),
  );
  const agents = agentsOf(started).map(({ id: agent }) =>
    client.call(getAgent, { params: { agent } }),
  );
  const life = {
    parameters: await client.call(listTemplateVersionParameters, { params }),
    form: await client.call(evaluateParameters, {
      params,
      body: { id: 1, inputs: {}, owner_id: started.owner_id },
    }),
    presets: await client.call(listTemplateVersionPresets, { params }),
    logins: await client.call(listTemplateVersionExternalAuth, { params }),
    planned: await client.call(listTemplateVersionResources, { params }),
    values: await client.call(listBuildParameters, { params: { build: started.latest_build.id } }),
    started: started.latest_build.resources,
    agents: await Promise.all(agents),
  };
  await client.call(createBuild, { params: { workspace }, body: { transition: "stop" } });
  const stopped = await waitForWorkspace(
    client,
    workspace,
    ({ latest_build: { status } }) => status === "stopped",
  );
  return { ...life, stopped: stopped.latest_build.resources };
}

const organization = { organization: "default" };

/** Pushes a version as the stock command does; resolves to its id. */
async function push(client: ApiClient, bytes: Uint8Array): Promise<string> {
  const { hash } = await client.upload(uploadFile, { bytes, contentType: tarMimeType });
  const { id } = await client.call(createTemplateVersion, {
    params: organization,
    body: { name: "first", file_id: hash, storage_method: "file", provisioner: "terraform" },
  });
  await vi.waitUntil(async () => {
    const { job } = await client.call(getTemplateVersion, { params: { version: id } });
    if (job.status === "failed") throw new Error(`import failed: ${job.error ?? ""}`);
    return job.status === "succeeded";
  }, patience);
  return id;
}

/** Lists the agents; a stock server writes no list where there are none. */
function agentsOf({ latest_build: { resources } }: Workspace): readonly WorkspaceAgent[] {
  const lists: readonly (readonly WorkspaceAgent[] | undefined)[] = resources.map(
    (one) => one.agents,
  );
  return lists.flatMap((agents) => agents ?? []);
}

function hasStarted({ lifecycle_state: state }: WorkspaceAgent): boolean {
  return state === "ready" || state === "start_error";
}
