import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { Workspace } from "@slipway/api/workspaces/workspace";

import { CommandError, UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { allAgents, rootAgents } from "../builds/agents.ts";
import { fullName } from "../workspaces/workspace-reference.ts";

/**
 * Finds the agent of a running workspace by name; without a name, the only one outside dev containers. Throws
 * `CommandError` if there is none, `UsageError` if there are several.
 */
export function chooseAgent(
  workspace: Pick<Workspace, "owner_name" | "name" | "latest_build">,
  wanted: string | undefined,
): WorkspaceAgent {
  const all = allAgents(workspace.latest_build);
  const name = fullName(workspace);
  if (all.length === 0) throw notFound(`workspace ${name} has no agents`);
  const names = all.map((agent) => agent.name).join(", ");
  if (wanted !== undefined) {
    const found = all.find((agent) => agent.name === wanted);
    if (found !== undefined) return found;
    throw notFound(`workspace ${name} has no agent "${wanted}", wanted one of ${names}`);
  }
  const roots = rootAgents(workspace.latest_build);
  const [only = all[0], ...more] = roots;
  if (only !== undefined && more.length === 0) return only;
  throw new UsageError(
    `workspace ${name} has several agents: pass ${roots.map((agent) => `${name}.${agent.name}`).join(" or ")}`,
  );
}

function notFound(text: string): CommandError {
  return new CommandError(text, { exitCode: exitCodes.notFound });
}
