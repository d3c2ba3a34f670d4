import type { AppHealth, WorkspaceApp } from "@slipway/api/agents/app";
import { type AppPlace, appUrl, isCommandApp } from "@slipway/api/workspaces/app-url";
import type { Workspace } from "@slipway/api/workspaces/workspace";

import { CommandError, UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Colors } from "../../terminal/colors.ts";
import type { Cell, Columns } from "../../terminal/table.ts";
import { allAgents } from "../builds/agents.ts";
import { chooseAgent } from "../network/agent-reference.ts";
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

type AppColumn = "app" | "name" | "agent" | "health" | "shared" | "url";

/** Returns the columns of apps. Without a place their URLs are those inside the workspace. */
export function appColumns(
  place: AppPlace | undefined,
  colors: Colors,
): Columns<AgentApp, AppColumn> {
  return {
    app: ({ app }) => app.slug,
    name: ({ app }) => app.display_name ?? app.slug,
    agent: ({ agentName }) => agentName,
    health: ({ app }) => healthCell(app.health, colors),
    shared: ({ app }) => app.sharing_level,
    url: ({ app, agentName }) => {
      if (isCommandApp(app)) return app.command ?? "";
      return (place === undefined ? app.url : appUrl(app, agentName, place)) ?? "-";
    },
  };
}

function healthCell(health: AppHealth, colors: Colors): Cell {
  switch (health) {
    case "healthy":
      return { text: health, style: colors.green };
    case "initializing":
      return { text: health, style: colors.yellow };
    case "unhealthy":
      return { text: health, style: colors.red };
    case "disabled":
      return { text: "-", style: colors.dim };
  }
}
