import type { WorkspaceApp } from "@slipway/api/agents/app";
import type { Workspace } from "@slipway/api/workspaces/workspace";

import { CommandError, UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { allAgents } from "../builds/agents.ts";
import { chooseAgent } from "../network/choose-agent.ts";
import { fullName } from "../workspaces/workspace-reference.ts";

/** An app, and the name of the agent that runs it. */
export interface AgentApp {
  readonly agentName: string;
  readonly app: WorkspaceApp;
}

type AppWorkspace = Pick<Workspace, "owner_name" | "name" | "latest_build">;

/** Returns the apps of an agent; without its name, of all agents. Throws `CommandError` for an unknown agent. */
export function appsOf(workspace: AppWorkspace, agent: string | undefined): readonly AgentApp[] {
  const agents =
    agent === undefined ? allAgents(workspace.latest_build) : [chooseAgent(workspace, agent)];
  return agents.flatMap(({ name, apps }) => apps.map((app) => ({ agentName: name, app })));
}

/**
 * Finds an app by its slug. Throws `CommandError` if there is none, and `UsageError` if several agents have one and none
 * is named.
 */
export function chooseApp(
  workspace: AppWorkspace,
  agent: string | undefined,
  slug: string,
): AgentApp {
  const all = appsOf(workspace, agent);
  const found = all.filter(({ app }) => app.slug === slug);
  const [only, ...more] = found;
  const name = fullName(workspace);
  if (only === undefined) {
    const slugs = all.map(({ app }) => app.slug).join(", ");
    const wanted = slugs === "" ? "it has none" : `wanted one of ${slugs}`;
    throw new CommandError(`workspace ${name} has no app "${slug}": ${wanted}`, {
      exitCode: exitCodes.notFound,
    });
  }
  if (more.length === 0) return only;
  const choices = found.map(({ agentName }) => `${name}.${agentName}`).join(" or ");
  throw new UsageError(`several agents of ${name} have an app "${slug}": pass ${choices}`);
}
