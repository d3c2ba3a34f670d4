import { getTemplate } from "@slipway/api/templates/routes";
import { listTemplateVersionPresets } from "@slipway/api/templates/version-routes";
import { getExternalAgentCredentials } from "@slipway/api/workspaces/external-agent-routes";
import { createWorkspace, getWorkspace, listWorkspaces } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { ApiClient } from "@slipway/sdk/http";
import { firstAgent, pushTemplate } from "@slipway/testkit";
import { vi } from "vitest";

import { patience } from "./patience.ts";

/** A separate pool in which one workspace waits. */
export interface SinglePool {
  /** The name of the waiting workspace, until it is claimed. */
  readonly name: string;
  /** The token of the agent to run in the waiting workspace. */
  readonly token: string;
  /** Claims the waiting workspace for the client's user. */
  claim(): Promise<void>;
  /** Returns the present state of the workspace. */
  look(): Promise<ClaimState>;
}

export interface ClaimState {
  readonly owner: string;
  /** The state of the agent. */
  readonly status: string | undefined;
  readonly lifecycle: string | undefined;
}

export interface SinglePoolOptions {
  /** The duration of its stop script (default: none). */
  readonly stopSeconds?: number;
  /** The Google Cloud machine that identifies its agent, if any. */
  readonly machine?: string;
}

/** Scripts that write a line each: the owner they run for, and their process. */
const templateOf = ({ stopSeconds = 0, machine }: SinglePoolOptions): string => `
driver: external
presets:
  ready: { prebuilds: { instances: 1 } }
agents:
  main:
    os: linux
    arch: amd64
${machine === undefined ? "" : `    auth: google-instance-identity\n    instance_id: "${machine}"\n`}
    scripts:
      hello: { run_on: [start], run: 'echo "start \${{ owner.username }} $PPID" >> ~/lines' }
      bye: { run_on: [stop], run: 'sleep ${stopSeconds}; echo "stop \${{ owner.username }} $PPID" >> ~/lines' }
`;

/** Pushes the template of a pool and waits until a workspace waits in it. The claimed workspace keeps the name. */
export async function openSinglePool(
  client: ApiClient,
  name: string,
  options: SinglePoolOptions = {},
): Promise<SinglePool> {
  const templateId = await pushTemplate(client, name, templateOf(options));
  const presetId = await findPreset(client, templateId);
  const { id: workspace, name: waitingName } = await findPrebuild(client, templateId);
  const { agent_token: token } = await client.call(getExternalAgentCredentials, {
    params: { workspace, agent: "main" },
  });
  return {
    name: waitingName,
    token,
    claim: async () => {
      const body = { name, template_id: templateId, template_version_preset_id: presetId };
      const claimed = await client.call(createWorkspace, { params: { user: "me" }, body });
      if (claimed.id !== workspace) {
        throw new Error(`claimed workspace ${claimed.id}, wanted ${workspace}`);
      }
    },
    look: async () => {
      const now = await client.call(getWorkspace, { params: { workspace } });
      const agent = firstAgent(now);
      return { owner: now.owner_name, status: agent?.status, lifecycle: agent?.lifecycle_state };
    },
  };
}

async function findPreset(client: ApiClient, templateId: string): Promise<string> {
  const pushed = await client.call(getTemplate, { params: { template: templateId } });
  const params = { version: pushed.active_version_id };
  const [preset] = await client.call(listTemplateVersionPresets, { params });
  if (preset === undefined) throw new Error("template has no preset");
  return preset.ID;
}

async function findPrebuild(client: ApiClient, templateId: string): Promise<Workspace> {
  return vi.waitFor(async () => {
    const { workspaces } = await client.call(listWorkspaces, { query: { q: "owner:prebuilds" } });
    const found = workspaces.find(({ template_id: id }) => id === templateId);
    if (found?.latest_build.status !== "running") throw new Error("no workspace is waiting");
    return found;
  }, patience);
}
