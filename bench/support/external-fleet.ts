import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

import { createWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { ApiClient } from "@slipway/sdk/http";
import { firstAgent, pushTemplate, readAgentToken, waitForWorkspace } from "@slipway/testkit";

import { makeMany } from "./pacing.ts";

/** An agent that a benchmark plays: its token opens a session. */
export interface FleetAgent {
  readonly id: string;
  readonly workspaceId: string;
  readonly token: string;
}

/** The polling interval for running workspaces; a longer one would dominate the measurement. */
const pollMs = 10;

const template = `
driver: external
agents:
  main:
    os: linux
    arch: amd64
    scripts:
      hello: { run_on: [start], run: echo hello }
    metadata:
      a: { display_name: A, interval: 10s, timeout: 5s, run: echo 1 }
      b: { display_name: B, interval: 10s, timeout: 5s, run: echo 2 }
`;

/** Creates running workspaces of the driver `external`; resolves to their agents. */
export async function makeFleet(client: ApiClient, count: number): Promise<readonly FleetAgent[]> {
  const templateId = await pushTemplate(client, `fleet-${Date.now()}`, template);
  return makeMany(count, async () => {
    const workspace = await makeWorkspace(client, templateId);
    const token = await readAgentToken(client, workspace.id);
    return { id: firstAgent(workspace)?.id ?? "", workspaceId: workspace.id, token };
  });
}

/** Does the same without reading the tokens of the agents. */
export async function makeWorkspaces(client: ApiClient, count: number): Promise<void> {
  const templateId = await pushTemplate(client, `fleet-${Date.now()}`, template);
  await makeMany(count, () => makeWorkspace(client, templateId));
}

async function makeWorkspace(client: ApiClient, templateId: string): Promise<Workspace> {
  const body = { name: `w-${randomUUID().slice(0, 13)}`, template_id: templateId };
  const { id } = await client.call(createWorkspace, { params: { user: "me" }, body });
  // A build takes longer than its request.
  await pause(pollMs);
  return waitForWorkspace(client, id, ({ latest_build: { status } }) => status === "running", {
    pollMs,
  });
}
