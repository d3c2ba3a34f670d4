import { setTimeout as pause } from "node:timers/promises";

import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { getTemplate } from "@slipway/api/templates/routes";
import { listTemplateVersionPresets } from "@slipway/api/templates/version-routes";
import { createWorkspace, listWorkspaces } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { ApiClient } from "@slipway/sdk/http";
import { firstAgent, removeWorkspace, waitForWorkspace } from "@slipway/testkit";

import type { Findings } from "../findings.ts";

export function isReady({ lifecycle_state: state }: WorkspaceAgent): boolean {
  return state === "ready";
}

export async function elapsedMs(task: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await task();
  return performance.now() - started;
}

const pollMs = 50;
/** The time between looks while something is measured. */
const closePollMs = 10;

/** Deletes a workspace whose agent is ready, which it may be before its build has ended, and waits for it. */
export async function removeReady(client: ApiClient, id: string): Promise<void> {
  await waitForWorkspace(client, id, ({ latest_build: { status } }) => status === "running");
  await removeWorkspace(client, id);
}

/** A template whose only preset has a pool of one. */
interface ClaimedPool {
  readonly name: string;
  readonly template: string;
  readonly claims: number;
}

/**
 * Claims the prebuild of a pool again and again, and records the times from the request to its response, to the end of the
 * claim's build, and until the agent of the new owner has run its scripts.
 */
export async function noteClaims(
  findings: Findings,
  client: ApiClient,
  { name, template, claims }: ClaimedPool,
): Promise<void> {
  const { active_version_id: version } = await client.call(getTemplate, { params: { template } });
  const [preset] = await client.call(listTemplateVersionPresets, { params: { version } });
  if (preset === undefined) throw new Error("the template has no preset");
  const times = {
    response: new Array<number>(),
    build: new Array<number>(),
    ready: new Array<number>(),
  };
  for (let claim = 0; claim < claims; claim += 1) {
    const prebuild = await waitForPrebuild(client, name);
    const started = performance.now();
    const { id } = await client.call(createWorkspace, {
      params: { user: "me" },
      body: {
        name: `${name}-${claim}`,
        template_id: template,
        template_version_preset_id: preset.ID,
        require_prebuild: true,
      },
    });
    times.response.push(performance.now() - started);
    const options = { pollMs: closePollMs };
    const until = async (isGood: (workspace: Workspace) => boolean): Promise<number> => {
      await waitForWorkspace(client, id, isGood, options);
      return performance.now() - started;
    };
    const [build, ready] = await Promise.all([
      until(({ latest_build: { job } }) => job.status === "succeeded"),
      until((workspace) => {
        const agent = firstAgent(workspace);
        return agent !== undefined && agent.id !== firstAgent(prebuild)?.id && isReady(agent);
      }),
    ]);
    times.build.push(build);
    times.ready.push(ready);
    await removeReady(client, id);
  }
  findings.noteTimes(`claims of ${name}: request → response`, times.response);
  findings.noteTimes(`claims of ${name}: request → end of the build`, times.build);
  findings.noteTimes(`claims of ${name}: request → agent ready`, times.ready);
}

async function waitForPrebuild(client: ApiClient, template: string): Promise<Workspace> {
  const query = { q: `owner:prebuilds template:${template}` };
  for (;;) {
    const { workspaces } = await client.call(listWorkspaces, { query });
    const found = workspaces.find((one) => {
      const agent = firstAgent(one);
      return one.latest_build.status === "running" && agent !== undefined && isReady(agent);
    });
    if (found !== undefined) return found;
    await pause(pollMs);
  }
}
