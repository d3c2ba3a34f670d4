import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { getAgentLogs } from "@slipway/api/agents/log-routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { ApiClient } from "@slipway/sdk/http";
import { firstAgent, openClient, requireAgent, waitForWorkspace } from "@slipway/testkit";

import { requireVariable } from "./require-variable.ts";

/** A workspace of a running stock server that uses our agent. */
export interface StockWorkspace {
  readonly client: ApiClient;
  readonly id: string;
  readonly agentToken: string;
}

/** Finds the workspace that the environment names. Throws when a part of its description is missing. */
export function findStockWorkspace(): StockWorkspace {
  return {
    client: openClient(
      requireVariable("SLIPWAY_STOCK_SERVER"),
      requireVariable("SLIPWAY_STOCK_SESSION"),
    ),
    id: requireVariable("SLIPWAY_STOCK_WORKSPACE"),
    agentToken: requireVariable("SLIPWAY_STOCK_AGENT_TOKEN"),
  };
}

/** Starts the workspace again: its agent keeps the token, in a new row without any reports. */
export async function startAnew({ client, id }: StockWorkspace): Promise<Workspace> {
  const params = { workspace: id };
  const build = await client.call(createBuild, { params, body: { transition: "start" } });
  return waitForWorkspace(client, id, ({ latest_build: latest }) => {
    return latest.id === build.id && latest.job.status === "succeeded";
  });
}

/** Waits for the agent of the newest build. */
export async function waitForAgent(
  { client, id }: StockWorkspace,
  isGood: (agent: WorkspaceAgent) => boolean,
): Promise<WorkspaceAgent> {
  const found = await waitForWorkspace(client, id, (now) => {
    const agent = firstAgent(now);
    return agent !== undefined && isGood(agent);
  });
  return requireAgent(found);
}

/** Returns the logs of a build's agent. */
export async function readLines({ client }: StockWorkspace, agent: string): Promise<string[]> {
  const logs = await client.call(getAgentLogs, { params: { agent } });
  return logs.map(({ output }) => output);
}
